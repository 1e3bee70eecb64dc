/** How AVA runs the specs: TypeScript by Node's own type stripping, two files at a time on a small machine. */
export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts'],
  concurrency: 2,
  timeout: '3m',
  workerThreads: false,
};
