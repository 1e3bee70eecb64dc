import { html } from 'lit';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { changedFields, type FieldChange } from '../data/imageChanges.ts';
import { fieldsFrom } from '../data/imageForm.ts';
import type { GalleryEntry } from './entry.ts';
import {
  countedExplanation,
  GIB,
  imageRow,
  refusedByManyExplanation,
  refusedExplanation,
  trainingImageRow,
} from './fixtures.ts';

const SMALL = changedFields(fieldsFrom(imageRow()), fieldsFrom(imageRow({ millicores: 4000, memoryBytes: 8 * GIB })));
const LARGE = changedFields(fieldsFrom(imageRow()), fieldsFrom(trainingImageRow()));

export const imageEntries: readonly GalleryEntry[] = [
  {
    component: 'mu-fit',
    states: [
      ['it fits on some', fit(countedExplanation())],
      ['it fits nowhere', fit({ ...refusedExplanation(), fits: 0 })],
      ['nowhere among many', fit({ ...refusedByManyExplanation(), fits: 0 })],
      ['no agent', fit({ ...refusedExplanation(), fits: 0, agents: 0, codes: {}, candidates: [] })],
    ],
  },
  {
    component: 'mu-conflict, mu-field-changes',
    states: [
      ['two fields', conflict(SMALL)],
      ['nearly everything', conflict(LARGE)],
      ['nothing that is shown', conflict([])],
    ],
  },
];

function fit(explanation: Explanation): unknown {
  return html`<mu-fit .explanation=${explanation}></mu-fit>`;
}

function conflict(changes: readonly FieldChange[]): unknown {
  return html`<mu-conflict heading="Somebody has saved revision 4 meanwhile." .changes=${changes}></mu-conflict>`;
}
