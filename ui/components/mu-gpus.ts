import { css, html, LitElement, nothing } from 'lit';
import { formatBytes } from '../../domain/units.ts';
import type { AgentView, GpuView } from '../../projections/views.ts';
import { gpuNotes, schedulableText } from '../data/gpus.ts';
import { base } from '../styles/base.ts';
import { table } from '../styles/table.ts';
import './mu-state.ts';
import type { Tone } from './mu-state.ts';

const HEALTH_TONES: Readonly<Record<GpuView['health'], Tone>> = { ok: 'ok', warning: 'warn', failed: 'danger' };

/** The devices of one agent: what each is, who holds it, and why it is not schedulable when it is not. */
export class MuGpus extends LitElement {
  static override properties = { agent: { attribute: false }, now: { attribute: false } };
  declare agent: AgentView | null;
  /** The server's time, in milliseconds. */
  declare now: number;

  static override styles = [
    base,
    table,
    css`
      .counts {
        margin-bottom: var(--space-2);
      }
      .uuid {
        font: var(--text-s) / 1.4 var(--font-mono);
        color: var(--muted);
        overflow-wrap: anywhere;
      }
      .why {
        display: block;
        font-size: var(--text-s);
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.now = 0;
  }

  override render(): unknown {
    const { agent } = this;
    if (agent === null) return nothing;
    const { detected, usable, schedulable, free } = agent.gpuCounts;
    if (detected === 0) {
      return html`<p class="muted">No GPU: the driver lists none on this agent.</p>`;
    }
    return html`<p class="counts">${detected} detected, ${usable} usable, ${schedulable} schedulable, ${free} free</p>
      <div role="table" aria-label="GPUs of ${agent.hostname}" class="table">
        <div role="row" class="head">
          ${['Device', 'Memory', 'Health', 'Schedulable', 'Held by'].map((name) => html`<span role="columnheader">${name}</span>`)}
        </div>
        ${agent.gpus.map((gpu) => this.#row(gpu, agent))}
      </div>`;
  }

  #row(gpu: GpuView, agent: AgentView): unknown {
    const use = agent.used?.gpus.find(({ uuid }) => uuid === gpu.uuid) ?? null;
    const memoryUsed = use?.memoryUsedBytes ?? null;
    const total = gpu.memoryBytes === null ? 'not told' : formatBytes(gpu.memoryBytes);
    return html`<div role="row" class="row">
      <span role="cell" data-label="Device"
        ><span>${gpu.index}: ${gpu.model}<br /><span class="uuid">${gpu.uuid}</span></span></span
      >
      <span role="cell" data-label="Memory"
        >${memoryUsed === null ? total : `${formatBytes(memoryUsed)} of ${total}`}</span
      >
      <span role="cell" data-label="Health"
        ><span
          ><mu-state tone=${HEALTH_TONES[gpu.health]} text=${gpu.health}></mu-state
          >${[gpu.healthReason ?? [], gpuNotes(use, this.now)].flat().map((line) => html`<span class="why">${line}</span>`)}</span
        ></span
      >
      <span role="cell" data-label="Schedulable">${schedulableText(gpu)}</span>
      <span role="cell" data-label="Held by"
        >${gpu.heldBy.length === 0 ? html`<span class="muted">nobody</span>` : gpu.heldBy.join(', ')}</span
      >
    </div>`;
  }
}

customElements.define('mu-gpus', MuGpus);
