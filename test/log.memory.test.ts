import test from 'ava';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { eventLogContract } from './contracts/eventLog.ts';

eventLogContract(test, async () => {
  const store: MemoryStore = new Map();
  return {
    log: createMemoryLog(store),
    another: async () => createMemoryLog(store),
    appendRaw: async (log, bytes) => {
      store.set(log, [...(store.get(log) ?? []), bytes]);
    },
    disturb: async () => undefined,
  };
});
