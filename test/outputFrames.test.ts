import test from 'ava';
import { OutputFrames } from '../agent/engine/outputFrames.ts';
import { plainText } from '../domain/plainText.ts';

const AT = '2026-11-27T06:36:23.123456789Z';

function frame(from: 1 | 2, text: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(`${AT} `), Buffer.from(text)]);
  const head = Buffer.from([from, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

test('frames are put together however they are cut', (t) => {
  const umlaut = Buffer.from('ä');
  const all = Buffer.concat([
    frame(1, 'first\n'),
    frame(2, 'an error\n'),
    frame(1, Buffer.concat([Buffer.from('half '), umlaut.subarray(0, 1)])),
    frame(2, 'in between\n'),
    frame(1, Buffer.concat([umlaut.subarray(1), Buffer.from(' line\n')])),
    frame(1, '\n'),
  ]);
  const wanted = [
    { at: AT, from: 'stdout', text: 'first', goesOn: false },
    { at: AT, from: 'stderr', text: 'an error', goesOn: false },
    { at: AT, from: 'stdout', text: 'half ', goesOn: true },
    { at: AT, from: 'stderr', text: 'in between', goesOn: false },
    { at: AT, from: 'stdout', text: 'ä line', goesOn: false },
    { at: AT, from: 'stdout', text: '', goesOn: false },
  ];
  for (const size of [1, 2, 7, 8, 9, 40, all.length]) {
    const frames = new OutputFrames();
    const lines = [];
    for (let at = 0; at < all.length; at += size) lines.push(...frames.push(all.subarray(at, at + size)));
    t.deepEqual(lines, wanted as typeof lines, `pieces of ${size} bytes`);
  }
});

test('what is no frame is refused, and so is one that claims to be endless', (t) => {
  t.throws(() => new OutputFrames().push(Buffer.from('HTTP/1.1 200 OK\r\n')), { code: 'ENGINE_REFUSED' });
  t.throws(() => new OutputFrames().push(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255])), { code: 'ENGINE_REFUSED' });
});

for (const [line, shown] of [
  ['plain text\twith a tab', 'plain text\twith a tab'],
  ['\u001B[1;31mred\u001B[0m and \u001B[2Kgone', 'red and gone'],
  ['\u001B]0;a title\u0007text', 'text'],
  ['\u001B]8;;https://example.org\u001B\\link\u001B]8;;\u001B\\', 'link'],
  ['\u001B]0;never ended', ''],
  ['10 %\r20 %\r30 %', '30 %'],
  ['a line of Windows\r', 'a line of Windows'],
  ['bell \u0007 and back\u0008space \u009B31m', 'bell  and backspace 31m'],
  ['turned \u202Eround', 'turned round'],
  ['grüße 🙂', 'grüße 🙂'],
] as const) {
  test(`shown of ${JSON.stringify(line)}: ${shown}`, (t) => t.is(plainText(line), shown));
}
