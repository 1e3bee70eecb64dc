import test from 'ava';
import { memoryRisks } from '../../domain/agents/memoryRisk.ts';

const GIB = 1024 ** 3;

/** Amounts in GiB: the sum of limits, physical memory, swap, override; and what is said, by level. */
const TABLE: readonly (readonly [string, readonly [number, number, number, number | null], readonly string[]])[] = [
  ['limits within physical memory are no risk', [12, 12, 0, null], []],
  ['limits past physical memory and within swap are amber', [14, 12, 4, null], ['covered: 2 GiB past physical']],
  ['exactly memory and swap is still covered', [16, 12, 4, null], ['covered: 4 GiB past physical']],
  [
    'limits past memory and swap are red, with the amount',
    [17, 12, 4, null],
    ['uncovered: 1 GiB not covered by RAM or swap'],
  ],
  ['an override above physical without swap is always shown', [0, 12, 0, 24], ['uncovered: no swap']],
  ['an override above physical with swap is not', [0, 12, 1, 24], []],
  ['both are shown, the amount first', [20, 12, 0, 24], ['uncovered: 8 GiB not covered', 'uncovered: no swap']],
];

for (const [title, [limits, physical, swap, override], expected] of TABLE) {
  test(title, (t) => {
    const risks = memoryRisks({
      limits: limits * GIB,
      physical: physical * GIB,
      swap: swap * GIB,
      override: override === null ? null : override * GIB,
    });
    const said = risks.map(({ level, sentence }) => `${level}: ${sentence}`);
    t.is(said.length, expected.length);
    for (const [index, start] of expected.entries()) t.true(said[index]?.startsWith(start), said[index]);
  });
}
