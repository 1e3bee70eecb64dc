import { parse } from 'yaml';

/** A compose file as it is written, as far as the rules of this project look at it. */
export interface ComposeFile {
  readonly services?: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

export interface ComposeService {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly env_file?: string;
  readonly ports?: readonly unknown[];
  readonly volumes?: readonly unknown[];
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
}

export function parseCompose(text: string): ComposeFile {
  const file: ComposeFile = parse(text);
  return file;
}

/**
 * What of a file breaks the rules that every one of the project's keeps, each as a sentence. A file that is laid over another
 * one need not say again what that one says.
 */
export function breaches(file: ComposeFile): readonly string[] {
  return Object.entries(file.services ?? {}).flatMap(([name, service]) => {
    const found = [...whatEachSays(file, service), ...(service.image === undefined ? [] : whatAWholeOneLacks(service))];
    return found.map((breach) => `${name}: ${breach}`);
  });
}

function whatEachSays(file: ComposeFile, service: ComposeService): readonly string[] {
  const { ports = [], volumes = [], environment = {}, env_file: envFile } = service;
  return [
    ...ports
      .filter((port) => !/^127\.0\.0\.1:[^:]*(?::-\d+\})?:\d+$/.test(String(port)))
      .map((port) => `the port ${String(port)} is not published on loopback`),
    ...volumes
      .filter((volume) => !isNamedOrReadOnly(file, volume))
      .map(
        (volume) =>
          `the volume ${JSON.stringify(volume)} is neither a named one of the file nor a read-only bind of what is there`,
      ),
    ...Object.keys(environment)
      .filter((variable) => SECRET.test(variable))
      .map((variable) => `${variable} stands in the file`),
    ...(envFile === undefined || /^\$\{\w+:-\/etc\/muster\/\w+\.env\}$/.test(envFile)
      ? []
      : [`the secrets are in ${envFile}`]),
  ];
}

/** Whose value is a secret, by its name; a file's name is none. */
const SECRET = /(?:PASSWORD|SECRET|TOKEN|KEY|CREDENTIALS?)$/i;

function isNamedOrReadOnly(file: ComposeFile, volume: unknown): boolean {
  if (typeof volume === 'string') return Object.hasOwn(file.volumes ?? {}, volume.split(':')[0] ?? '');
  const { type, read_only: readOnly, bind } = Object(volume);
  return type === 'bind' && readOnly === true && Object(bind).create_host_path === false;
}

function whatAWholeOneLacks(service: ComposeService): readonly string[] {
  const {
    image = '',
    healthcheck,
    restart,
    mem_limit: memory,
    cap_drop: dropped,
    security_opt: security,
    logging,
  } = service;
  const rules: readonly (readonly [boolean, string])[] = [
    [/^[a-z0-9/.-]+:\d+\.\d+\.\d+(?:-[a-z0-9.-]+)?$/.test(image), `${image} is not pinned to a patch`],
    [healthcheck?.test?.[0] === 'CMD', 'it has no health check that needs no shell'],
    [restart === 'unless-stopped', 'it is not started again'],
    [memory !== undefined, 'its memory has no limit'],
    [dropped?.includes('ALL') === true && security?.includes('no-new-privileges') === true, 'it has privileges'],
    [logging?.options?.['max-size'] !== undefined, 'what it prints can fill the disk'],
  ];
  return rules.filter(([kept]) => !kept).map(([, breach]) => breach);
}
