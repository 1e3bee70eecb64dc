import * as z from 'zod';
import { isAccountSeed } from '../nkeys/nkey.ts';

/** The settings that open a bus wholly: part of the configuration of gateways, and of nobody else's. */
export const gatewaySecretsShape = {
  MUSTER_NATS_LOG_PASSWORD: z
    .string()
    .optional()
    .meta({ shown: 'made at first start', secret: true })
    .describe('Password of the bus user muster-log (event logs, leases, secrets)'),
  MUSTER_NATS_APP_PASSWORD: z
    .string()
    .optional()
    .meta({ shown: 'made at first start', secret: true })
    .describe('Password of the bus user muster-app (everything else)'),
  MUSTER_NATS_AUTH_PASSWORD: z
    .string()
    .optional()
    .meta({ shown: 'made at first start', secret: true })
    .describe('Password of the bus user muster-auth (gateways are asked there who may enter)'),
  MUSTER_NATS_SYS_PASSWORD: z
    .string()
    .optional()
    .meta({ shown: 'made at first start', secret: true })
    .describe('Password of the bus user muster-sys (connections of whom was revoked are closed)'),
  MUSTER_NATS_ISSUER_SEED: z
    .string()
    .refine(isAccountSeed, 'must be the seed of an account (SA…)')
    .optional()
    .meta({ shown: 'made at first start', secret: true })
    .describe(
      'Seed (SA…) of the key with which gateways sign who may enter; `npx muster bus-secrets` makes one and all passwords',
    ),
} as const;

type Parsed = z.output<z.ZodObject<typeof gatewaySecretsShape>>;

export type GatewaySecretsConfig = {
  readonly natsLogPassword: string | undefined;
  readonly natsAppPassword: string | undefined;
  readonly natsAuthPassword: string | undefined;
  readonly natsSysPassword: string | undefined;
  readonly natsIssuerSeed: string | undefined;
};

/** The names of all of them. */
export const SECRETS_OF_GATEWAYS: readonly string[] = Object.keys(gatewaySecretsShape);

export function gatewaySecretsOf(data: Parsed): GatewaySecretsConfig {
  return {
    natsLogPassword: data.MUSTER_NATS_LOG_PASSWORD,
    natsAppPassword: data.MUSTER_NATS_APP_PASSWORD,
    natsAuthPassword: data.MUSTER_NATS_AUTH_PASSWORD,
    natsSysPassword: data.MUSTER_NATS_SYS_PASSWORD,
    natsIssuerSeed: data.MUSTER_NATS_ISSUER_SEED,
  };
}

export function gatewaySecretsEnvironment(config: GatewaySecretsConfig): Readonly<Record<string, string | undefined>> {
  return {
    MUSTER_NATS_LOG_PASSWORD: config.natsLogPassword,
    MUSTER_NATS_APP_PASSWORD: config.natsAppPassword,
    MUSTER_NATS_AUTH_PASSWORD: config.natsAuthPassword,
    MUSTER_NATS_SYS_PASSWORD: config.natsSysPassword,
    MUSTER_NATS_ISSUER_SEED: config.natsIssuerSeed,
  };
}
