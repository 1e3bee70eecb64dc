import type { Api, Edge, Route } from './edge.ts';
import { agentCapacity } from './routes/agentCapacity.ts';
import { agentEvents } from './routes/agentEvents.ts';
import { agentHost } from './routes/agentHost.ts';
import { agentPrune } from './routes/agentPrune.ts';
import { agentUtilization } from './routes/agentUtilization.ts';
import { approveAgent } from './routes/approveAgent.ts';
import { declareLost } from './routes/declareLost.ts';
import { deleteAgent } from './routes/deleteAgent.ts';
import { deleteImage } from './routes/deleteImage.ts';
import { deleteKey } from './routes/deleteKey.ts';
import { deleteManagerToken } from './routes/deleteManagerToken.ts';
import { deletePerson } from './routes/deletePerson.ts';
import { deleteSession } from './routes/deleteSession.ts';
import { enableAgent } from './routes/enableAgent.ts';
import { endPersonSessions } from './routes/endPersonSessions.ts';
import { firstAccount } from './routes/firstAccount.ts';
import { getAgent } from './routes/getAgent.ts';
import { getImage } from './routes/getImage.ts';
import { getSession } from './routes/getSession.ts';
import { listAgents } from './routes/listAgents.ts';
import { listEvents } from './routes/listEvents.ts';
import { listImages } from './routes/listImages.ts';
import { listKeys } from './routes/listKeys.ts';
import { listManagerTokens } from './routes/listManagerTokens.ts';
import { listPeople } from './routes/listPeople.ts';
import { listSessions } from './routes/listSessions.ts';
import { listZones } from './routes/listZones.ts';
import { listLogs } from './routes/listLogs.ts';
import { live } from './routes/live.ts';
import { me } from './routes/me.ts';
import { endMySession, endMySessions, listMySessions } from './routes/mySessions.ts';
import { patchAgent } from './routes/patchAgent.ts';
import { patchPerson } from './routes/patchPerson.ts';
import { personLink } from './routes/personLink.ts';
import { planPlacement } from './routes/planPlacement.ts';
import { postKey } from './routes/postKey.ts';
import { postManagerToken } from './routes/postManagerToken.ts';
import { postPerson } from './routes/postPerson.ts';
import { postSession } from './routes/postSession.ts';
import { putImage } from './routes/putImage.ts';
import { putPassword } from './routes/putPassword.ts';
import { revokeAgent } from './routes/revokeAgent.ts';
import { sealLog } from './routes/sealLog.ts';
import { sessionEvents } from './routes/sessionEvents.ts';
import { sessionLogs } from './routes/sessionLogs.ts';
import { sessionPlacement } from './routes/sessionPlacement.ts';
import { setPassword } from './routes/setPassword.ts';
import { signIn } from './routes/signIn.ts';
import { signInLinks } from './routes/signInLinks.ts';
import { signOut } from './routes/signOut.ts';
import { verifyLog } from './routes/verifyLog.ts';

/** Every route of the REST API, version 1. A new one is a file in routes/ and a line here. */
const routes: readonly Route[] = [
  me,
  signIn,
  signOut,
  signInLinks,
  setPassword,
  firstAccount,
  putPassword,
  listMySessions,
  endMySessions,
  endMySession,
  listPeople,
  postPerson,
  patchPerson,
  deletePerson,
  personLink,
  endPersonSessions,
  listKeys,
  postKey,
  deleteKey,
  listManagerTokens,
  postManagerToken,
  deleteManagerToken,
  listAgents,
  getAgent,
  patchAgent,
  approveAgent,
  enableAgent,
  declareLost,
  revokeAgent,
  deleteAgent,
  agentUtilization,
  agentEvents,
  agentCapacity,
  agentHost,
  agentPrune,
  listZones,
  listImages,
  getImage,
  putImage,
  deleteImage,
  listSessions,
  getSession,
  postSession,
  deleteSession,
  sessionPlacement,
  sessionEvents,
  sessionLogs,
  planPlacement,
  listEvents,
  listLogs,
  verifyLog,
  sealLog,
  live,
];

export function addRoutes(api: Api, edge: Edge): void {
  for (const route of routes) route(api, edge);
}
