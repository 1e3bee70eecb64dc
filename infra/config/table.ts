import * as z from 'zod';
import { shape } from './shape.ts';

export type ConfigRow = {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
};

/** One row per variable, in the order of the schema. */
export function describeConfig(): readonly ConfigRow[] {
  return Object.entries(shape).map(([name, field]) => {
    const shown = field.meta()?.['shown'];
    return {
      name,
      default: typeof shown === 'string' ? shown : `\`${String(schemaDefault(field))}\``,
      meaning: field.description ?? '',
    };
  });
}

/** The README's table. */
export function configTable(): string {
  const rows = describeConfig().map((row) => `| \`${row.name}\` | ${row.default} | ${row.meaning} |`);
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** What the schema itself says before any transformation. */
function schemaDefault(field: z.ZodType): unknown {
  return z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }).default;
}
