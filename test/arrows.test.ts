import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import test from 'ava';

/** Arrows between the top-level folders go one way. Each folder with what it must not import, and what it may. */
const ARROWS: Readonly<Record<string, { readonly refused: readonly string[]; readonly allowed: readonly string[] }>> = {
  domain: {
    refused: ['../projections/views.ts', '../infra/clock.ts', '../gateway/core/core.ts', 'nats', 'node:fs'],
    allowed: ['zod', './ids.ts'],
  },
  projections: {
    refused: ['../infra/clock.ts', '../gateway/core/core.ts', '../agent/loop.ts', 'nats', 'node:fs'],
    allowed: ['../domain/ids.ts'],
  },
  infra: {
    refused: ['../projections/views.ts', '../gateway/core/core.ts', '../agent/loop.ts', '../test/support/builders.ts'],
    allowed: ['../domain/ids.ts', 'nats', 'node:fs'],
  },
  agent: {
    refused: ['../projections/views.ts', '../gateway/core/core.ts', '../bench/main.ts'],
    allowed: ['../domain/ids.ts', '../infra/clock.ts'],
  },
  gateway: {
    refused: ['../agent/loop.ts', '../ui/main.ts', '../test/support/builders.ts'],
    allowed: ['../domain/ids.ts', '../infra/clock.ts', '../projections/views.ts'],
  },
  ui: {
    refused: ['../agent/loop.ts', '../gateway/core/core.ts', '../infra/clock.ts', 'zod'],
    allowed: ['../domain/units.ts', 'lit'],
  },
};

/** One after another, and under a name of this process: the folders are shared with whoever works here. */
for (const [folder, { refused, allowed }] of Object.entries(ARROWS)) {
  test.serial(`${folder} is refused what it must not import, and may import the rest`, async (t) => {
    const path = `${folder}/__planted_${process.pid}__.ts`;
    t.teardown(() => rm(path, { force: true }));
    const imports = [...refused, ...allowed].map((from, index) => `import * as planted${index} from '${from}';`);
    const uses = imports.map((_, index) => `planted${index}`);
    await writeFile(path, `${imports.join('\n')}\nexport const all = [${uses.join(', ')}];\n`);
    const found = await forbiddenImports(path);
    t.deepEqual(
      found.toSorted((a, b) => a - b),
      refused.map((_, index) => index + 1),
    );
  });
}

/** The lines of the file whose import the linter refuses. */
async function forbiddenImports(path: string): Promise<readonly number[]> {
  const output = await lint(path);
  const { diagnostics } = JSON.parse(output) as {
    readonly diagnostics: readonly {
      readonly code: string;
      readonly labels: readonly { readonly span: { readonly line: number } }[];
    }[];
  };
  return diagnostics
    .filter(({ code }) => code.includes('no-restricted-imports'))
    .flatMap(({ labels }) => labels.slice(0, 1).map(({ span }) => span.line));
}

/** The linter ends with 1 when it finds something, which is what is wanted here. */
async function lint(path: string): Promise<string> {
  const args = ['node_modules/oxlint/bin/oxlint', '--format', 'json', path];
  try {
    return (await promisify(execFile)(process.execPath, args)).stdout;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== '') {
      return error.stdout;
    }
    throw error;
  }
}
