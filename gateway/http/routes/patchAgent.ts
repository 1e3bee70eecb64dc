import { z } from 'zod';
import type { SetAgentSettings } from '../../../domain/zone/commands.ts';
import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { agentEchoes } from '../echoes.ts';
import { ifMatch, setEtag } from '../etag.ts';
import { agentParams, agentPatch, type AgentPatch } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404, requireNotRevoked, zoneOfAgent } from './find.ts';
import { problems } from './problems.ts';

export const patchAgent: Route = (api, edge) => {
  const schema = {
    summary: 'Changes settings of an agent, all that are named or none',
    tags: ['agents'],
    params: agentParams,
    body: agentPatch,
    response: { 200: z.object({ agent: agentView, echoes: z.array(z.string()) }), ...problems },
  };
  const config = { role: 'operator', bus: { kind: 'command', name: 'SetAgentSettings', target: 'zone' } } as const;
  api.patch('/agents/:agentId', { schema, config }, async (request, reply) => {
    const { agentId } = request.params;
    const { replica } = zoneOfAgent(edge.core, agentId);
    if (request.body.enabled === true) requireNotRevoked(edge.core, agentId);
    const command = settings(agentId, request.body, ifMatch(request));
    await submit(edge, replica, { asked: askedBy(request), command, reason: request.body.reason }, reply);
    const agent = agentOr404(edge.core, agentId);
    setEtag(reply, agent.settingsVersion);
    return { agent, echoes: [...agentEchoes(agent, request.body)] };
  });
};

function settings(agentId: string, patch: AgentPatch, ifVersion: number | null): SetAgentSettings {
  const { enabled, coresOverride, memoryOverride, labels, pruneMode, confirm = false } = patch;
  return {
    type: 'SetAgentSettings',
    agentId,
    ...(enabled === undefined ? {} : { enabled }),
    ...(coresOverride === undefined ? {} : { millicores: coresOverride }),
    ...(memoryOverride === undefined ? {} : { memoryBytes: memoryOverride }),
    ...(labels === undefined ? {} : { labels }),
    ...(pruneMode === undefined ? {} : { pruneMode }),
    confirm,
    ifVersion,
  };
}
