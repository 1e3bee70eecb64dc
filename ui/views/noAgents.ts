import { html, type TemplateResult } from 'lit';
import '../components/mu-empty.ts';
import { addressOf } from '../data/page.ts';

/** What stands where agents would be while there is none. */
export function noAgents(): TemplateResult {
  return html`<mu-empty heading="No agent has connected yet">
    <p>
      An agent is a host with a container engine that runs the Muster agent. <code>npm start</code> runs one on this
      machine; it appears here within seconds of its first check-in.
    </p>
    <p>To have another host join:</p>
    <p>
      1. Issue a manager token here: <code>npx muster manager-token issue</code>, or on the page
      <a href=${addressOf({ page: 'access' })}>Access</a>.
    </p>
    <p>
      2. On the host: <code>npx muster agent --join URL --token-file FILE</code>, with the address of this gateway's
      bus.
    </p>
    <p>3. It appears here, and waits for your approval: compare the fingerprint that it printed.</p>
    <p>If it does not appear, look for a refused connection in what the command printed.</p>
  </mu-empty>`;
}
