import { css, html, LitElement, nothing } from 'lit';
import type { ImageView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { saveImage } from '../data/gateway.ts';
import {
  EMPTY_IMAGE,
  fieldsFrom,
  gpuSentence,
  imageBody,
  imageErrors,
  imageIdFrom,
  type FieldErrors,
  type ImageFields,
} from '../data/imageForm.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Fields that hold free text, and so share one input handler. */
type TextField = Exclude<keyof ImageFields, 'cpuMode' | 'requireGpu'>;

interface FieldWords {
  readonly label: string;
  readonly help?: string;
  readonly placeholder?: string;
  readonly rows?: number;
}

/** Defines an image, or revises one. */
export class MuImageDialog extends LitElement {
  static override properties = {
    image: { attribute: false },
    known: { attribute: false },
    fields: { state: true },
    errors: { state: true },
  };
  /** The definition to revise, or null for a new one. */
  declare image: ImageView | null;
  declare known: ReadonlyMap<string, ImageView>;
  declare fields: ImageFields | null;
  declare errors: FieldErrors;
  readonly #save = new Action(this);

  static override styles = [
    base,
    form,
    css`
      textarea {
        font-family: var(--font-mono);
        font-size: var(--text-s);
      }
      summary {
        width: fit-content;
        color: var(--accent);
        font-weight: 500;
      }
      details .fields {
        margin-top: var(--space-3);
      }
    `,
  ];

  constructor() {
    super();
    this.image = null;
    this.known = new Map();
    this.fields = null;
    this.errors = {};
  }

  override render(): unknown {
    const fields = this.#current();
    const imageId = this.image?.imageId ?? imageIdFrom(fields.name);
    return html`<mu-dialog heading=${this.image === null ? 'Define an image' : `Edit ${this.image.name}`}>
      <form novalidate @submit=${this.#submitted}>
        ${this.#text('name', { label: 'Name', help: `Its id: ${fields.name.trim() === '' ? 'made from the name' : imageId}` })}
        ${this.#text('reference', { label: 'Container image', placeholder: 'docker.io/library/debian:12', help: 'Registry, name and tag or digest.' })}
        <div class="pair">
          ${this.#text('cores', { label: 'CPU cores', help: '2, 0.5 or 500m' })}
          ${this.#text('memory', { label: 'Memory', help: '4GiB, 4GB or bytes' })}
        </div>
        ${this.#gpu(fields)} ${this.#more()}
        <mu-refusal .refusal=${this.#save.refusal}></mu-refusal>
        <div class="actions">
          <button class="primary" type="submit" aria-disabled=${this.#save.busy}>
            ${this.#save.busy ? 'Saving' : this.image === null ? 'Define image' : 'Save as a new revision'}
          </button>
        </div>
      </form>
    </mu-dialog>`;
  }

  #gpu(fields: ImageFields): unknown {
    return html`<fieldset>
      <legend>GPUs</legend>
      <label class="choice">
        <input
          id="requireGpu"
          type="checkbox"
          .checked=${fields.requireGpu}
          @change=${(event: Event) => {
            if (event.target instanceof HTMLInputElement) this.#set({ requireGpu: event.target.checked });
          }}
        />
        Require GPU
      </label>
      <div class="pair">${this.#text('gpuCount', { label: 'GPU count', help: '0 = all' })}<span></span></div>
      <p class="help" id="gpu-sentence" aria-live="polite">${gpuSentence(fields.requireGpu, fields.gpuCount)}</p>
    </fieldset>`;
  }

  #more(): unknown {
    const fields = this.#current();
    const mode = (value: ImageFields['cpuMode'], text: string): unknown =>
      html`<label class="choice">
        <input
          type="radio"
          name="cpu-mode"
          .checked=${fields.cpuMode === value}
          @change=${() => this.#set({ cpuMode: value })}
        />
        ${text}
      </label>`;
    return html`<details>
      <summary>Ports, GPU model, CPU mode, environment, command</summary>
      <div class="fields">
        ${this.#text('ports', { label: 'Ports to publish', placeholder: '8080, 6901/tcp', help: 'The engine chooses the port on the host.' })}
        <div class="pair">
          ${this.#text('gpuModel', { label: 'GPU model', placeholder: 'NVIDIA L40*', help: '* stands for anything; empty: any model.' })}
          ${this.#text('gpuMemory', { label: 'Memory per GPU, at least', placeholder: '24GiB', help: 'Empty: any amount.' })}
        </div>
        <fieldset>
          <legend>CPU mode</legend>
          ${mode('shares', 'Shares: may use more while others do not need it')}
          ${mode('quota', 'Quota: never more than its cores')}
        </fieldset>
        ${this.#text('shm', { label: 'Shared memory (/dev/shm)', placeholder: '512MiB', help: "Empty: the engine's default." })}
        ${this.#text('environment', { label: 'Environment', rows: 3, placeholder: 'NAME=value', help: 'One per line. Kept in the log for ever: no secrets.' })}
        ${this.#text('command', { label: 'Command', rows: 2, help: "One argument per line. Empty: the image's own." })}
      </div>
    </details>`;
  }

  #text(name: TextField, words: FieldWords): unknown {
    const error = this.errors[name];
    const typed = (event: InputEvent): void => {
      const { target } = event;
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)
        this.#set({ [name]: target.value });
    };
    const value = this.#current()[name];
    const describedBy = `${name}-help${error === undefined ? '' : ` ${name}-error`}`;
    return html`<div class="field">
      <label for=${name}>${words.label}</label>
      ${
        words.rows === undefined
          ? html`<input
              id=${name}
              autocomplete="off"
              spellcheck="false"
              placeholder=${words.placeholder ?? ''}
              .value=${value}
              aria-invalid=${error !== undefined}
              aria-describedby=${describedBy}
              @input=${typed}
            />`
          : html`<textarea
              id=${name}
              rows=${words.rows}
              spellcheck="false"
              placeholder=${words.placeholder ?? ''}
              .value=${value}
              aria-invalid=${error !== undefined}
              aria-describedby=${describedBy}
              @input=${typed}
            ></textarea>`
      }
      ${error === undefined ? nothing : html`<span class="error" id="${name}-error">${error}</span>`}
      <span class="help" id="${name}-help">${words.help ?? ''}</span>
    </div>`;
  }

  #current(): ImageFields {
    return this.fields ?? (this.image === null ? EMPTY_IMAGE : fieldsFrom(this.image));
  }

  #set(change: Partial<ImageFields>): void {
    this.fields = { ...this.#current(), ...change };
    // A field that was wrong is checked while it is mended; others are left alone until the form is sent.
    if (Object.keys(this.errors).length > 0) this.errors = imageErrors(this.fields);
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const fields = this.#current();
    const imageId = this.image?.imageId ?? imageIdFrom(fields.name);
    const taken = this.image === null && this.known.has(imageId);
    this.errors = {
      ...imageErrors(fields),
      ...(taken ? { name: `There is an image with the id ${imageId} already.` } : {}),
    };
    if (Object.keys(this.errors).length > 0) return this.#focusFirstError();
    const saved = await this.#save.run(async () => {
      const image = await saveImage(imageId, imageBody(fields), this.image?.revision ?? null);
      this.dispatchEvent(new CustomEvent<ImageView>('image-changed', { detail: image, bubbles: true, composed: true }));
      const echoes = image.echoes ?? [];
      notify(
        this,
        `${image.name} is saved as revision ${image.revision}${echoes.length === 0 ? '' : `: ${echoes.join('; ')}`}.`,
      );
    });
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (saved && dialog instanceof MuDialog) dialog.close();
  };

  async #focusFirstError(): Promise<void> {
    await this.updateComplete;
    const field = this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]');
    const folded = field?.closest('details');
    if (folded) folded.open = true;
    field?.focus();
  }
}

customElements.define('mu-image-dialog', MuImageDialog);
