/* global fromAll, linkTo */
// A projection that EventStoreDB runs, when `muster log links on` asks it to: whatever names an agent is linked into agent-<id>,
// whatever names a session into session-<id>. Muster reads none of it.
//
// From all streams, not by category: then none of EventStoreDB's own projections has to run, each of which writes one more event for
// every event. It is handed only the types below. Links are of the type `$>`, so none leads to another one.
// A session that ends because its agent was declared lost is not named by that event: it is in the agent's stream.

var TYPES = [
  // A test compares with the events that name one.
  'AgentApproved',
  'AgentBooted',
  'AgentConditionCleared',
  'AgentConditionRaised',
  'AgentDeclaredLost',
  'AgentDisabled',
  'AgentEnabled',
  'AgentEnrolled',
  'AgentHardwareChanged',
  'AgentJoined',
  'AgentLabelsSet',
  'AgentLeft',
  'AgentRemoved',
  'AgentReturned',
  'AgentRevoked',
  'AgentWentLate',
  'AgentWentMissing',
  'CoresOverrideSet',
  'ImageRemovalSkipped',
  'ImageRemoved',
  'MemoryOverrideSet',
  'PruneModeSet',
  'SessionCancelled',
  'SessionEnded',
  'SessionPlaced',
  'SessionRefused',
  'SessionRequested',
  'SessionStartFailed',
  'SessionStarted',
  'SessionStarting',
  'SessionStopRequested',
  'SessionWaiting',
];

/** Only what is in a log: the same type elsewhere is somebody else's. */
function isInLog(event) {
  return event.streamId === 'fleet-main' || event.streamId.indexOf('zone-') === 0;
}

function link(state, event) {
  if (!isInLog(event) || !event.isJson) return state;
  if (typeof event.data.agentId === 'string') linkTo('agent-' + event.data.agentId, event);
  if (typeof event.data.sessionId === 'string') linkTo('session-' + event.data.sessionId, event);
  return state;
}

var handlers = {};
TYPES.forEach(function (type) {
  handlers[type] = link;
});
fromAll().when(handlers);
