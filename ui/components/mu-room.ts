import { css, html, LitElement, nothing } from 'lit';
import { counted } from '../data/amounts.ts';
import type { RoomLines } from '../data/room.ts';
import { base } from '../styles/base.ts';

/** How many more sessions an agent has room for, by image: as it is, and as it would be. */
export class MuRoom extends LitElement {
  static override properties = { room: { attribute: false } };
  declare room: RoomLines | null;

  static override styles = [
    base,
    css`
      .room {
        padding: var(--space-3);
        border-radius: var(--radius);
        background: var(--sunken);
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 550;
      }
      ul {
        display: grid;
        grid-template-columns: minmax(0, auto) auto minmax(0, 1fr);
        gap: var(--space-1) var(--space-4);
        margin-top: var(--space-2);
      }
      li {
        display: grid;
        grid-template-columns: subgrid;
        grid-column: 1 / -1;
        align-items: baseline;
      }
      li > :first-child {
        overflow-wrap: anywhere;
      }
      .text {
        font-weight: 600;
        white-space: nowrap;
      }
      .fewer .text {
        color: var(--warn);
      }
      @media (max-width: 45rem) {
        ul {
          grid-template-columns: minmax(0, 1fr) auto;
        }
        li > :last-child {
          grid-column: 1 / -1;
        }
        .text {
          text-align: right;
        }
      }
      .beyond {
        margin-top: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.room = null;
  }

  override render(): unknown {
    const { room } = this;
    if (room === null) return nothing;
    return html`<div class="room">
      <h3 id="room">Room for more sessions</h3>
      <p class="small muted">By cores, memory and GPUs alone, each image by itself.</p>
      <ul aria-labelledby="room" aria-live="polite">
        ${room.lines.map(
          ({ name, text, limit, change }) =>
            html`<li class=${change}>
              <span>${name}</span> <span class="text">${text}</span> <span class="small muted">${limit}</span>
            </li>`,
        )}
      </ul>
      ${room.more === 0 ? nothing : html`<p class="small muted beyond">And ${counted(room.more, 'more image', 'more images')}.</p>`}
    </div>`;
  }
}

customElements.define('mu-room', MuRoom);
