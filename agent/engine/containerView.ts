import { LABEL_SESSION } from './containerOptions.ts';
import { ContainerStatus, type ContainerView, type PublishedPort } from './port.ts';

/** The part of the engine's "inspect container" that is read here. */
export type InspectedContainer = {
  readonly Id: string;
  /** The id of its image. */
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string } | null | undefined;
  };
  /** `Image`: the reference that it was made from. */
  readonly Config: { readonly Image: string; readonly Labels: { readonly [label: string]: string } };
  readonly NetworkSettings: {
    readonly Ports: {
      readonly [port: string]: readonly { readonly HostIp: string; readonly HostPort: string }[] | null | undefined;
    } | null;
  };
};

/** How engines write "never". */
const NEVER = '0001-01-01T00:00:00Z';

export function toContainerView(inspected: InspectedContainer, imageDigest: string | null): ContainerView {
  const status = toStatus(inspected.State.Status);
  const ended = status === ContainerStatus.exited || status === ContainerStatus.dead;
  const { StartedAt } = inspected.State;
  return {
    sessionId: inspected.Config.Labels[LABEL_SESSION] ?? '',
    containerId: inspected.Id,
    imageDigest,
    status,
    exitCode: ended ? inspected.State.ExitCode : null,
    // Engines also say so of one that lost a process and went on, even when it ends well long after.
    oomKilled: inspected.State.OOMKilled && !(ended && inspected.State.ExitCode === 0),
    startedAt: StartedAt === NEVER || StartedAt === '' ? null : StartedAt,
    health: ended ? null : toHealth(inspected.State.Health?.Status),
    ports: toPorts(inspected.NetworkSettings.Ports ?? {}),
  };
}

function toStatus(text: string): ContainerStatus {
  const status = Object.values(ContainerStatus).find((each) => each === text);
  if (status === undefined) throw new Error(`The engine reports an unknown container status: ${text}`);
  return status;
}

/** Engines say `none`, or nothing at all, of an image without a check of its own. */
function toHealth(text: string | undefined): ContainerView['health'] {
  return text === 'starting' || text === 'healthy' || text === 'unhealthy' ? text : null;
}

function toPorts(ports: NonNullable<InspectedContainer['NetworkSettings']['Ports']>): readonly PublishedPort[] {
  return Object.entries(ports).flatMap(([name, bindings]) => {
    const [port, protocol] = name.split('/');
    if (protocol !== 'tcp' && protocol !== 'udp') return [];
    return (bindings ?? []).map((each) => ({
      containerPort: Number(port),
      protocol,
      hostAddress: each.HostIp,
      hostPort: Number(each.HostPort),
    }));
  });
}
