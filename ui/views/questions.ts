import type { AgentView, ImageView, SessionView } from '../../projections/views.ts';
import { agentRemovalConsequences, lossConsequences, revocationConsequences } from '../data/agents.ts';
import { declareLost, removeAgent, retireImage, revokeAgent, stopSession } from '../data/gateway.ts';
import { retireConsequences } from '../data/imageChanges.ts';
import { stopConsequences } from '../data/sessions.ts';
import { agentChanged, notify } from './events.ts';
import type { Question } from './mu-confirm-dialog.ts';

/**
 * What is asked on several pages before something is done. `from` is the view that asks: it is still there to say what came
 * of it when the dialog is gone.
 */

export function lossQuestion(from: EventTarget, agent: AgentView): Question {
  return {
    heading: `Declare ${agent.hostname} lost?`,
    consequences: lossConsequences(agent),
    reason: 'needed',
    no: 'Wait for it',
    yes: 'Declare lost',
    doing: 'Saving',
    work: async (reason) => {
      agentChanged(from, await declareLost(agent.agentId, reason));
      notify(from, `${agent.hostname} is declared lost.`);
    },
  };
}

export function revocationQuestion(from: EventTarget, agent: AgentView): Question {
  return {
    heading: `Revoke ${agent.hostname}?`,
    consequences: revocationConsequences(agent),
    reason: 'needed',
    no: 'Keep it',
    yes: 'Revoke agent',
    doing: 'Saving',
    work: async (reason) => {
      agentChanged(from, await revokeAgent(agent.agentId, reason));
      notify(from, `${agent.hostname} is revoked.`);
    },
  };
}

export function removalQuestion(from: EventTarget, { agentId, hostname }: AgentView): Question {
  return {
    heading: `Remove ${hostname}?`,
    consequences: agentRemovalConsequences(),
    reason: 'none',
    no: 'Keep it',
    yes: 'Remove agent',
    doing: 'Saving',
    work: async () => {
      await removeAgent(agentId);
      notify(from, `${hostname} is removed.`);
      from.dispatchEvent(new CustomEvent<string>('agent-removed', { detail: agentId, bubbles: true, composed: true }));
    },
  };
}

/** `sessions`: those that were started from it and are not over. */
export function retireQuestion(from: EventTarget, image: ImageView, sessions: readonly SessionView[]): Question {
  const { imageId, name, revision } = image;
  return {
    heading: `Retire ${name}?`,
    consequences: retireConsequences(sessions),
    reason: 'none',
    no: 'Keep it',
    yes: 'Retire image',
    doing: 'Saving',
    work: async () => {
      await retireImage(imageId, revision);
      from.dispatchEvent(new CustomEvent<string>('image-retired', { detail: imageId, bubbles: true, composed: true }));
      notify(from, `${name} is retired.`);
    },
  };
}

export function stopQuestion(from: EventTarget, session: SessionView): Question {
  const { sessionId } = session;
  return {
    heading: `Stop session ${sessionId}?`,
    consequences: stopConsequences(session),
    reason: 'optional',
    no: 'Keep it',
    yes: 'Stop session',
    doing: 'Stopping',
    work: async (reason) => {
      const changed = await stopSession(sessionId, reason);
      from.dispatchEvent(
        new CustomEvent<SessionView>('session-changed', { detail: changed, bubbles: true, composed: true }),
      );
      notify(from, `${sessionId}: ${changed.sentence}`);
    },
  };
}
