import { html, type TemplateResult } from 'lit';
import { Asked } from '../components/asked.ts';
import '../components/mu-tokens.ts';
import { listTokens, revokeToken, type TokenRow } from '../data/gateway.ts';
import { tokenRevocationConsequences } from '../data/tokens.ts';
import { notify } from './events.ts';
import { IssuedView } from './issuedView.ts';
import type { Question } from './mu-confirm-dialog.ts';
import './mu-token-dialog.ts';

/** Manager tokens, which admit agents: issue one, revoke one. */
export class MuTokensView extends IssuedView<TokenRow> {
  protected override readonly words = {
    id: 'tokens',
    heading: 'Manager tokens',
    issue: 'Issue a token',
    none: 'No host can join yet',
    purpose:
      'The agent of a host shows a manager token to be admitted to the bus, and a secret of its own, which tells it from ' +
      'every other. Nothing runs on it before an admin has approved it.',
  };
  protected override readonly issued = new Asked(this, async () => (await listTokens()).managerTokens);

  protected override table(tokens: readonly TokenRow[]): TemplateResult {
    return html`<mu-tokens .tokens=${tokens} .now=${this.now} @revoke-wish=${this.revokeWished}></mu-tokens>`;
  }

  protected override issueDialog(): TemplateResult {
    return html`<mu-token-dialog @changed=${this.issued.again} @dialog-closed=${this.closed}></mu-token-dialog>`;
  }

  protected override question(token: TokenRow): Question {
    const isLast = this.issued.value?.length === 1;
    return {
      heading: isLast ? 'Revoke the last manager token?' : `Revoke manager token ${token.tokenId}?`,
      consequences: tokenRevocationConsequences(token, isLast, this.now),
      reason: 'needed',
      no: 'Keep it',
      yes: isLast ? 'Revoke the last one' : 'Revoke token',
      doing: 'Revoking',
      work: async (reason) => {
        await revokeToken(token.tokenId, reason, isLast);
        notify(this, `The manager token ${token.tokenId} is revoked.`);
        await this.issued.again();
      },
    };
  }
}

customElements.define('mu-tokens-view', MuTokensView);
