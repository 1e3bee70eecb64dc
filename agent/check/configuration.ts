import { ConfigError, readConfig, type Config } from '../../infra/config.ts';
import { CONFIG_FILE_VARIABLE, withConfigFile, type ConfigProblem, type Environment } from '../../infra/configFile.ts';
import { ok, wrong, type Finding } from './finding.ts';

const CHECK = 'configuration';

/** The configuration as far as it is right: what is wrong counts as not set, so that everything else can be checked. */
export type ConfigLook = {
  readonly config: Config;
  readonly problems: readonly ConfigProblem[];
  /** The configuration file, if one is named. */
  readonly file: string | null;
};

export function lookAtConfiguration(environment: Environment): ConfigLook {
  const named = environment[CONFIG_FILE_VARIABLE];
  const file = named === undefined || named === '' ? null : named;
  try {
    return { config: readConfig(environment), problems: [], file };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const merged = withConfigFile(environment).env;
    const faulty = new Set([CONFIG_FILE_VARIABLE, ...error.problems.map(({ name }) => name)]);
    // Of the bus's address and password neither is of use without the other.
    if (faulty.has('MUSTER_NATS_APP_PASSWORD')) faulty.add('MUSTER_NATS_URL');
    const rest = Object.fromEntries(Object.entries(merged).filter(([name]) => !faulty.has(name)));
    return { config: readConfig(rest), problems: error.problems, file };
  }
}

export function judgeConfiguration({ config, problems, file }: ConfigLook): readonly Finding[] {
  if (problems.length > 0) return problems.map(({ name, message }) => wrong(CHECK, `${name} ${message}`));
  const from = file === null ? 'the environment' : `the environment and ${file}`;
  return [ok(CHECK, `${from}: agent ${config.agentId}, zone ${config.zone}`)];
}
