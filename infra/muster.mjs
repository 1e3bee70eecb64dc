#!/usr/bin/env node
// The command `muster` (npx muster ... in a clone).
import { launch } from './launch/launch.mjs';

await launch('gateway/cli/main.ts', process.argv.slice(2));
