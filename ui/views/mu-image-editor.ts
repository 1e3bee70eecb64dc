import { html, LitElement, nothing } from 'lit';
import type { ImageView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-conflict.ts';
import '../components/mu-refusal.ts';
import { saveImage } from '../data/gateway.ts';
import { changedFields, isUnchanged, rebased } from '../data/imageChanges.ts';
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
import { refusedFields } from '../data/imageRefusals.ts';
import { base, form } from '../styles/base.ts';
import { imageEditorStyles } from '../styles/imageEditor.ts';
import { notify } from './events.ts';
import { NearFocus } from '../components/nearFocus.ts';

/** Fields that hold free text, and so share one input handler. */
type TextField = Exclude<keyof ImageFields, 'cpuMode' | 'requireGpu'>;

interface FieldWords {
  readonly label: string;
  readonly help?: string;
  readonly placeholder?: string;
  readonly rows?: number;
}

/** Defines an image, or revises one. What somebody else saves meanwhile is shown, and never overwritten unseen. */
export class MuImageEditor extends LitElement {
  static override properties = {
    image: { attribute: false },
    known: { attribute: false },
    locked: { attribute: false },
    based: { state: true },
    fields: { state: true },
    errors: { state: true },
  };
  /** The definition as it stands now, or null for a new one. */
  declare image: ImageView | null;
  declare known: ReadonlyMap<string, ImageView>;
  /** Why nothing may be changed here, as a sentence; null: it may. */
  declare locked: string | null;
  /** The revision that the fields were read from. */
  declare based: ImageView | null;
  declare fields: ImageFields | null;
  declare errors: FieldErrors;
  readonly #save = new Action(this);

  static override styles = [base, form, imageEditorStyles];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.image = null;
    this.known = new Map();
    this.locked = null;
    this.based = null;
    this.fields = null;
    this.errors = {};
  }

  /** A newer revision is taken over at once where nothing was typed, or just that. */
  protected override willUpdate(): void {
    const { image, based, fields } = this;
    if (image === null || based?.revision === image.revision) return;
    const nothingTyped = based === null || fields === null || isUnchanged(based, fields);
    if (nothingTyped || isUnchanged(image, fields)) this.#readFrom(image);
  }

  override render(): unknown {
    const fields = this.#current();
    const imageId = this.image?.imageId ?? imageIdFrom(fields.name);
    const general = isEmpty(this.errors) || isEmpty(refusedFields(this.#save.refusal)) ? this.#save.refusal : null;
    return html`<form novalidate @submit=${this.#submitted} aria-label="Definition">
      ${this.locked === null ? nothing : html`<p class="muted">${this.locked}</p>`}
      <fieldset class="all" ?disabled=${this.locked !== null}>
        ${this.#text('name', { label: 'Name', help: `Its id: ${fields.name.trim() === '' ? 'made from the name' : imageId}` })}
        ${this.#text('reference', { label: 'Container image', placeholder: 'docker.io/library/debian:12', help: '[registry/]path[:tag][@sha256:digest], from a registry that is allowed.' })}
        <div class="pair">
          ${this.#text('cores', { label: 'CPU cores', help: '2, 0.5 or 500m' })}
          ${this.#text('memory', { label: 'Memory', help: '4GiB, 4GB or bytes' })}
        </div>
        ${this.#cpuMode(fields)} ${this.#gpu(fields)} ${this.#labels()} ${this.#container()}
        <mu-refusal .refusal=${general}></mu-refusal>
        ${this.#conflict(fields)}
        ${this.locked === null ? html`<div class="actions">${this.#actions(fields)}</div>` : nothing}
      </fieldset>
    </form>`;
  }

  #actions(fields: ImageFields): unknown {
    const { based } = this;
    const text = based === null ? 'Define image' : 'Save as a new revision';
    const typed = based !== null && !isUnchanged(based, fields);
    return html`${typed ? html`<button type="button" @click=${() => this.#readFrom(based)}>Undo changes</button>` : nothing}
      <button class="primary" type="submit" aria-disabled=${this.#save.busy}>
        ${this.#save.busy ? 'Saving' : text}
      </button>`;
  }

  #conflict(fields: ImageFields): unknown {
    const { image, based } = this;
    if (image === null || based === null || based.revision === image.revision) return nothing;
    const keep = (): void => {
      this.fields = rebased(fieldsFrom(based), fields, fieldsFrom(image));
      this.based = image;
      this.#save.forget();
    };
    return html`<mu-conflict
      heading="Somebody has saved revision ${image.revision} meanwhile."
      .changes=${changedFields(fieldsFrom(based), fieldsFrom(image))}
      @keep-mine=${keep}
      @take-theirs=${() => this.#readFrom(image)}
    ></mu-conflict>`;
  }

  #cpuMode({ cpuMode }: ImageFields): unknown {
    const mode = (value: ImageFields['cpuMode'], text: string): unknown =>
      html`<label class="choice">
        <input
          type="radio"
          name="cpu-mode"
          .checked=${cpuMode === value}
          @change=${() => this.#set({ cpuMode: value })}
        />
        ${text}
      </label>`;
    return html`<fieldset>
      <legend>CPU mode</legend>
      ${mode('shares', 'Shares: may use more while others do not need it, and has its cores when they do')}
      ${mode('quota', 'Quota: never more than its cores, even on an idle host')}
    </fieldset>`;
  }

  #gpu(fields: ImageFields): unknown {
    const model = { label: 'GPU model', placeholder: 'NVIDIA L40*', help: '* stands for anything; empty: any model.' };
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
      <div class="triple">
        ${this.#text('gpuCount', { label: 'GPU count', help: "0 = all of the host's" })}
        ${this.#text('gpuModel', model)}
        ${this.#text('gpuMemory', { label: 'Memory per GPU, at least', placeholder: '24GiB', help: 'Empty: any amount.' })}
      </div>
      <p class="help" id="gpu-sentence" aria-live="polite">${gpuSentence(fields.requireGpu, fields.gpuCount)}</p>
    </fieldset>`;
  }

  #labels(): unknown {
    const only = 'Labels, one per line: key or key=value. An agent must have all of them. Empty: any agent.';
    const never = 'Labels, too. One of them is enough to keep it away.';
    return html`<div class="pair">
      ${this.#text('includeLabels', { label: 'Only on agents with', rows: 2, placeholder: 'gpu=l40', help: only })}
      ${this.#text('excludeLabels', { label: 'Never on agents with', rows: 2, placeholder: 'spot', help: never })}
    </div>`;
  }

  #container(): unknown {
    return html`<div class="pair">
        ${this.#text('ports', { label: 'Ports to publish', placeholder: '8080, 6901/tcp', help: 'The engine chooses the port on the host.' })}
        ${this.#text('shm', { label: 'Shared memory (/dev/shm)', placeholder: '512MiB', help: "Empty: the engine's default." })}
      </div>
      <div class="pair">
        ${this.#text('environment', { label: 'Environment', rows: 4, placeholder: 'NAME=value', help: 'One per line. Kept in the log for ever: no secrets.' })}
        ${this.#text('command', { label: 'Command', rows: 4, help: "One argument per line. Empty: the image's own." })}
      </div>`;
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
    return this.fields ?? (this.based === null ? EMPTY_IMAGE : fieldsFrom(this.based));
  }

  #readFrom(image: ImageView): void {
    this.based = image;
    this.fields = null;
    this.errors = {};
    this.#save.forget();
  }

  #set(change: Partial<ImageFields>): void {
    this.fields = { ...this.#current(), ...change };
    // A field that was wrong is checked while it is mended; others are left alone until the form is sent.
    if (!isEmpty(this.errors)) this.errors = imageErrors(this.fields);
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const fields = this.#current();
    const { based } = this;
    const imageId = based?.imageId ?? imageIdFrom(fields.name);
    const taken = based === null && this.known.has(imageId);
    this.errors = {
      ...imageErrors(fields),
      ...(taken ? { name: `There is an image with the id ${imageId} already.` } : {}),
    };
    if (!isEmpty(this.errors)) return this.#focusFirstError();
    const saved = await this.#save.run(async () =>
      this.#saved(await saveImage(imageId, imageBody(fields), based?.revision ?? null)),
    );
    if (saved) return;
    this.errors = refusedFields(this.#save.refusal);
    if (!isEmpty(this.errors)) await this.#focusFirstError();
  };

  #saved(image: ImageView & { readonly echoes?: readonly string[] }): void {
    const { echoes = [] } = image;
    this.#readFrom(image);
    this.dispatchEvent(new CustomEvent<ImageView>('image-changed', { detail: image, bubbles: true, composed: true }));
    const said = echoes.length === 0 ? '' : `: ${echoes.join('; ')}`;
    notify(this, `${image.name} is saved as revision ${image.revision}${said}.`);
  }

  async #focusFirstError(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }
}

function isEmpty(errors: FieldErrors): boolean {
  return Object.keys(errors).length === 0;
}

customElements.define('mu-image-editor', MuImageEditor);
