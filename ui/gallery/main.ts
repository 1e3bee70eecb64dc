import { css, html, LitElement } from 'lit';
import '../components/mu-agent-events.ts';
import '../components/mu-agent-filter.ts';
import '../components/mu-agent-table.ts';
import '../components/mu-attention.ts';
import '../components/mu-banner.ts';
import '../components/mu-bar.ts';
import '../components/mu-changes.ts';
import '../components/mu-conflict.ts';
import '../components/mu-counts.ts';
import '../components/mu-empty.ts';
import '../components/mu-explanation.ts';
import '../components/mu-facts.ts';
import '../components/mu-fit.ts';
import '../components/mu-gpus.ts';
import '../components/mu-history-chart.ts';
import '../components/mu-images.ts';
import '../components/mu-keys.ts';
import '../components/mu-menu.ts';
import '../components/mu-output.ts';
import '../components/mu-not-ready.ts';
import '../components/mu-people.ts';
import '../components/mu-pruned.ts';
import '../components/mu-refusal.ts';
import '../components/mu-room.ts';
import '../components/mu-secret.ts';
import '../components/mu-sessions.ts';
import '../components/mu-state.ts';
import '../components/mu-statistic.ts';
import '../components/mu-switch.ts';
import '../components/mu-timeline.ts';
import '../components/mu-tokens.ts';
import '../components/mu-totals.ts';
import { entries } from './entries.ts';
import { imageEntries } from './imageEntries.ts';
import { overviewEntries } from './overviewEntries.ts';
import { base } from '../styles/base.ts';

/** Every component in its edge states, with invented rows. Nothing here talks to a gateway. */
class MuGallery extends LitElement {
  static override styles = [
    base,
    css`
      main {
        max-width: 90rem;
        margin-inline: auto;
        padding: var(--space-4);
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
      }
      h1 {
        font-size: var(--text-xl);
      }
      h2 {
        font: 600 var(--text-m) / 1.4 var(--font-mono);
        margin-bottom: var(--space-2);
      }
      .state {
        margin-top: var(--space-3);
      }
      .state > p {
        font-size: var(--text-s);
        color: var(--muted);
        margin-bottom: var(--space-1);
      }
      .frame {
        background: var(--surface);
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        padding: var(--space-3);
      }
    `,
  ];

  override render(): unknown {
    return html`<main>
      <h1>Gallery of components</h1>
      ${[...overviewEntries, ...imageEntries, ...entries].map(
        ({ component, states }) =>
          html`<section aria-label=${component}>
            <h2>${component}</h2>
            ${states.map(
              ([name, content]) =>
                html`<div class="state">
                  <p>${name}</p>
                  <div class="frame">${content}</div>
                </div>`,
            )}
          </section>`,
      )}
    </main>`;
  }
}

customElements.define('mu-gallery', MuGallery);
