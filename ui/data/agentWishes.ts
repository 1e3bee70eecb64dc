import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import { whyNot } from './roles.ts';

/** What may be asked of one agent; `history` leads to its page. */
export type AgentWish =
  | 'approve'
  | 'enable'
  | 'disable'
  | 'override'
  | 'history'
  | 'declare-lost'
  | 'revoke'
  | 'remove';

interface Choice {
  readonly id: AgentWish;
  readonly text: string;
  readonly role: Role;
}

const CHOICES: Readonly<Record<Exclude<AgentWish, 'enable' | 'disable'>, Choice>> = {
  approve: { id: 'approve', text: 'Approve', role: 'admin' },
  override: { id: 'override', text: 'Override', role: 'operator' },
  history: { id: 'history', text: 'History', role: 'viewer' },
  'declare-lost': { id: 'declare-lost', text: 'Declare lost', role: 'operator' },
  revoke: { id: 'revoke', text: 'Revoke', role: 'admin' },
  remove: { id: 'remove', text: 'Remove', role: 'admin' },
};

/** The menu of an agent: what its state allows, and of that why not, where the role does not. */
export function agentMenu(
  { intent, connectivity, sessions }: AgentView,
  may: Role,
): readonly { readonly id: AgentWish; readonly text: string; readonly why: string | null }[] {
  const { approve, override, history, revoke } = CHOICES;
  const lost = connectivity === 'missing' ? [CHOICES['declare-lost']] : [];
  const remove = sessions === 0 ? [CHOICES.remove] : [];
  const choices = {
    pending: [approve, revoke, ...remove],
    revoked: [history, ...lost, ...remove],
    enabled: [override, history, ...lost, revoke],
    disabled: [override, history, ...lost, revoke],
  }[intent];
  return choices.map(({ id, text, role }) => ({ id, text, why: whyNot(may, role) }));
}
