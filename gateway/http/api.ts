import type { Api, Edge, Route } from './edge.ts';
import { agentUtilization } from './routes/agentUtilization.ts';
import { approveAgent } from './routes/approveAgent.ts';
import { declareLost } from './routes/declareLost.ts';
import { deleteImage } from './routes/deleteImage.ts';
import { deleteSession } from './routes/deleteSession.ts';
import { enableAgent } from './routes/enableAgent.ts';
import { getAgent } from './routes/getAgent.ts';
import { getImage } from './routes/getImage.ts';
import { getSession } from './routes/getSession.ts';
import { listAgents } from './routes/listAgents.ts';
import { listEvents } from './routes/listEvents.ts';
import { listImages } from './routes/listImages.ts';
import { listSessions } from './routes/listSessions.ts';
import { listZones } from './routes/listZones.ts';
import { listLogs } from './routes/listLogs.ts';
import { live } from './routes/live.ts';
import { me } from './routes/me.ts';
import { patchAgent } from './routes/patchAgent.ts';
import { planPlacement } from './routes/planPlacement.ts';
import { postSession } from './routes/postSession.ts';
import { putImage } from './routes/putImage.ts';
import { sealLog } from './routes/sealLog.ts';
import { sessionPlacement } from './routes/sessionPlacement.ts';
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
  listAgents,
  getAgent,
  patchAgent,
  approveAgent,
  enableAgent,
  declareLost,
  agentUtilization,
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
