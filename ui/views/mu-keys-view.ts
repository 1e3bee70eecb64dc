import { html, type TemplateResult } from 'lit';
import { Asked } from '../components/asked.ts';
import '../components/mu-keys.ts';
import { listKeys, revokeKey, type KeyRow } from '../data/gateway.ts';
import { keyRevocationConsequences } from '../data/keys.ts';
import { notify } from './events.ts';
import { IssuedView } from './issuedView.ts';
import type { Question } from './mu-confirm-dialog.ts';
import './mu-key-dialog.ts';

/** Access keys of programs: issue one, revoke one. */
export class MuKeysView extends IssuedView<KeyRow> {
  protected override readonly words = {
    id: 'keys',
    heading: 'Access keys',
    issue: 'Issue a key',
    none: 'No program has a key yet',
    purpose:
      'A program shows a key where a person would sign in: on REST, and on the bus. It has a role of its own and an end, ' +
      'the log names it, and it can be revoked without touching anything else.',
  };
  protected override readonly issued = new Asked(this, async () => (await listKeys()).keys);

  protected override table(keys: readonly KeyRow[]): TemplateResult {
    return html`<mu-keys .keys=${keys} .now=${this.now} @revoke-wish=${this.revokeWished}></mu-keys>`;
  }

  protected override issueDialog(): TemplateResult {
    return html`<mu-key-dialog
      .now=${this.now}
      @changed=${this.issued.again}
      @dialog-closed=${this.closed}
    ></mu-key-dialog>`;
  }

  protected override question(key: KeyRow): Question {
    return {
      heading: `Revoke “${key.name}”?`,
      consequences: keyRevocationConsequences(key, this.now),
      reason: 'needed',
      no: 'Keep it',
      yes: 'Revoke key',
      doing: 'Revoking',
      work: async (reason) => {
        await revokeKey(key.keyId, reason);
        notify(this, `The key “${key.name}” is revoked.`);
        await this.issued.again();
      },
    };
  }
}

customElements.define('mu-keys-view', MuKeysView);
