import type { PullProgress } from './port.ts';

type Layer = { readonly done: boolean; readonly bytes: number; readonly total: number };

/** What a pull has said so far, per layer. */
export type PullState = ReadonlyMap<string, Layer>;

export type PullLine = {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
};

export const nothingPulled: PullState = new Map();

export function parsePullLine(text: string): PullLine {
  const line: PullLine = JSON.parse(text);
  return line;
}

/** Lines about extraction count bytes again from zero, so only downloads move the byte count. */
export function foldPullLine(state: PullState, line: PullLine): PullState {
  const { id, status, progressDetail } = line;
  if (id === undefined || status === undefined || status.startsWith('Pulling from')) return state;
  const before = state.get(id) ?? { done: false, bytes: 0, total: 0 };
  const downloading = status === 'Downloading';
  const total = downloading ? (progressDetail?.total ?? before.total) : before.total;
  const complete = status === 'Download complete' || status === 'Pull complete' || status === 'Already exists';
  const bytes = downloading ? (progressDetail?.current ?? before.bytes) : complete ? total : before.bytes;
  const done = before.done || status === 'Pull complete' || status === 'Already exists';
  return new Map(state).set(id, { done, bytes, total });
}

export function pullProgress(state: PullState): PullProgress {
  const layers = [...state.values()];
  return {
    layersDone: layers.filter((each) => each.done).length,
    layersTotal: layers.length,
    bytesDone: layers.reduce((sum, each) => sum + each.bytes, 0),
    bytesTotal: layers.reduce((sum, each) => sum + each.total, 0),
  };
}
