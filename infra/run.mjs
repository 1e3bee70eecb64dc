#!/usr/bin/env node
// Runs a TypeScript entry of this repository: node infra/run.mjs <entry.ts> [arguments]
// Plain JavaScript without dependencies, because it runs before anything is installed, on any Node from 18.
import { launch } from './launch/launch.mjs';

const [entry, ...rest] = process.argv.slice(2);
if (entry === undefined) {
  process.stderr.write('usage: node infra/run.mjs <entry.ts> [arguments]\n');
  process.exitCode = 2;
} else {
  await launch(entry, rest);
}
