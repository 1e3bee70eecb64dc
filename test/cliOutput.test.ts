import test from 'ava';
import { facts, jsonText, printable, table } from '../gateway/cli/output.ts';

/** What agents, images and people are called reaches the terminal of whoever asks for them. */

const EVIL = 'a\u001B[2J\u001B]0;title\u0007b\u009B31m\u202Ec\r\nROOT  online';

test('whatever something is called, a table has its rows and nothing else', (t) => {
  const lines = table(
    ['AGENT', 'HOST'],
    [
      ['one', EVIL],
      ['two', '\u001B[1A'],
    ],
  ).split('\n');
  t.deepEqual(lines, ['AGENT  HOST', 'one    ab31mc ROOT  online', 'two    -']);
  t.is(facts([['host', EVIL]]), 'host  ab31mc ROOT  online');
});

test('a sentence keeps its lines and moves no cursor', (t) => {
  t.is(printable('one:\u001B[31m\n\ttwo\u0008\u0008\u0000'), 'one:\n\ttwo');
  // eslint-disable-next-line no-control-regex
  t.notRegex(printable(EVIL), /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/);
});

test('JSON means the same and moves no cursor either', (t) => {
  const value = { name: EVIL, more: ['\u007F', 'Ü'] };
  t.deepEqual(JSON.parse(jsonText(value, 2)), value);
  t.notRegex(jsonText(value), /[\u007F-\u009F\u202A-\u202E]/);
});
