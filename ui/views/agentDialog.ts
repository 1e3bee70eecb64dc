import { html, type TemplateResult } from 'lit';
import type { AgentView } from '../../projections/views.ts';
import type { Fleet } from '../data/fleet.ts';
import './mu-confirm-dialog.ts';
import './mu-override-dialog.ts';
import './mu-prune-dialog.ts';
import { lossQuestion, removalQuestion, revocationQuestion } from './questions.ts';

/** What is asked in a dialog, of the things that are done to one agent. */
export type AgentDialog = 'override' | 'prune' | keyof typeof QUESTIONS;

const QUESTIONS = { 'declare-lost': lossQuestion, revoke: revocationQuestion, remove: removalQuestion } as const;

/** The dialog in which something is done to one agent; `from` is the view that shows it. */
export function agentDialog(
  dialog: AgentDialog,
  agent: AgentView,
  { from, fleet, closed }: { readonly from: EventTarget; readonly fleet: Fleet; readonly closed: () => void },
): TemplateResult {
  if (dialog === 'override') {
    return html`<mu-override-dialog .agent=${agent} .fleet=${fleet} @dialog-closed=${closed}></mu-override-dialog>`;
  }
  if (dialog === 'prune') {
    return html`<mu-prune-dialog .agent=${agent} @dialog-closed=${closed}></mu-prune-dialog>`;
  }
  const question = QUESTIONS[dialog](from, agent);
  return html`<mu-confirm-dialog .question=${question} @dialog-closed=${closed}></mu-confirm-dialog>`;
}
