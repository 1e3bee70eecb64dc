import { describeConfig } from '../../infra/config/table.ts';
import { print, printJson, table, type JsonOption } from './output.ts';

/** Every variable, its default and what it means. */
export function printConfiguration({ json }: JsonOption): void {
  const rows = describeConfig();
  if (json === true) return printJson(rows);
  print(
    table(
      ['VARIABLE', 'DEFAULT', 'MEANING'],
      rows.map((row) => [row.name, row.default, row.meaning]),
    ),
  );
}
