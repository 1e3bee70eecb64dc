import { accept, reject, type At, type Decision } from '../decision.ts';

/**
 * A log is written in epochs, so that its history can be moved offline in pieces and no store grows without bound.
 * Versions and the chain of hashes go on from one epoch to the next: no reader of events notices. `number` counts from 1;
 * `sealedAt` is the version of the commit that ended the epoch before, 0 in the first.
 */
export interface LogEpoch {
  readonly number: number;
  readonly sealedAt: number;
}

export type LogSealed = { readonly type: 'LogSealed'; readonly data: { readonly epoch: number } };

export function firstEpoch(): LogEpoch {
  return { number: 1, sealedAt: 0 };
}

/**
 * Ends the epoch, unless it is empty. `version` is that of the log's last commit: a seal there or in the commit to come
 * leaves nothing to seal.
 */
export function decideSeal(epoch: LogEpoch, version: number): Decision<LogSealed> {
  if (epoch.sealedAt >= version) {
    const message = 'nothing was written since the last seal, so there is nothing to seal';
    return reject('LOG_JUST_SEALED', message, { epoch: epoch.number });
  }
  return accept([{ type: 'LogSealed', data: { epoch: epoch.number } }], { epoch: epoch.number });
}

/** The epoch after the one that the event ends. */
export function nextEpoch({ data }: LogSealed, at: At): LogEpoch {
  return { number: data.epoch + 1, sealedAt: at.version };
}
