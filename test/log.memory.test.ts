import test from 'ava';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { bytesHoldSeal } from '../infra/log/seal.ts';
import { eventLogContract } from './contracts/eventLog.ts';

eventLogContract(test, async () => {
  const store: MemoryStore = new Map();
  return {
    log: createMemoryLog(store),
    another: async () => createMemoryLog(store),
    appendRaw: async (log, bytes) => {
      const commits = store.get(log) ?? [];
      commits.push(bytes);
      store.set(log, commits);
    },
    moveOffline: async (log) => {
      const commits = store.get(log) ?? [];
      const sealed = commits.findLastIndex(bytesHoldSeal);
      for (let index = 0; index <= sealed; index += 1) Reflect.deleteProperty(commits, index);
    },
    disturb: async () => undefined,
  };
});
