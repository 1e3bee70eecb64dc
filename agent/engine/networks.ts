/** Sessions reach the outside through it, and not one another. */
export const SESSION_NETWORK = 'muster-sessions';
/**
 * A second network, without any way out, that makes 169.254.168.0 to 169.254.175.255 a dead end inside a session. The
 * metadata services of the clouds are at 169.254.169.254 and 169.254.170.2: a session looks for them on this bridge,
 * where nobody answers. The host has no address on the bridge, so its own routes stay as they are.
 */
export const DEAD_END_NETWORK = 'muster-no-metadata';

const NO_TRAFFIC = 'com.docker.network.bridge.enable_icc';
const NO_HOST_ADDRESS = 'com.docker.network.bridge.inhibit_ipv4';

/** Sessions get their addresses from the upper half, so that none of them is ever given a metadata address. */
const DEAD_END_ADDRESSES = {
  Subnet: '169.254.168.0/21',
  IPRange: '169.254.172.0/22',
  Gateway: '169.254.172.1',
};

export type NetworkDefinition = {
  readonly Name: string;
  readonly Driver: 'bridge';
  readonly Internal: boolean;
  readonly EnableIPv6: false;
  readonly IPAM?: { readonly Driver: 'default'; readonly Config: { [key: string]: string }[] };
  readonly Options: { [key: string]: string };
};

export const NETWORKS: readonly NetworkDefinition[] = [
  {
    Name: SESSION_NETWORK,
    Driver: 'bridge',
    Internal: false,
    EnableIPv6: false,
    Options: { [NO_TRAFFIC]: 'false' },
  },
  {
    Name: DEAD_END_NETWORK,
    Driver: 'bridge',
    Internal: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Config: [DEAD_END_ADDRESSES] },
    Options: { [NO_TRAFFIC]: 'false', [NO_HOST_ADDRESS]: 'true' },
  },
];

export type ExistingNetwork = {
  readonly Driver: string;
  readonly Internal: boolean;
  readonly EnableIPv6: boolean;
  readonly Options?: { readonly [key: string]: string } | undefined;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string | undefined }[] | undefined } | undefined;
};

/** What is wrong with a network of our name that was there already; null when it protects as it should. */
export function networkFault(wanted: NetworkDefinition, existing: ExistingNetwork): string | null {
  if (existing.Driver !== wanted.Driver) return `its driver is ${existing.Driver}`;
  if (existing.Internal !== wanted.Internal) return `internal is ${existing.Internal}`;
  if (existing.EnableIPv6) return 'it has IPv6';
  for (const [option, value] of Object.entries(wanted.Options)) {
    if (existing.Options?.[option] !== value) return `${option} is not ${value}`;
  }
  const subnet = wanted.IPAM?.Config[0]?.['Subnet'];
  const has = existing.IPAM?.Config?.some((each) => each.Subnet === subnet) ?? false;
  return subnet === undefined || has ? null : `its subnet is not ${subnet}`;
}
