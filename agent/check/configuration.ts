import { ConfigError, readConfig, type Config } from '../../infra/config/config.ts';
import { CONFIG_FILE_VARIABLE, withConfigFile, type ConfigProblem, type Environment } from '../../infra/config/file.ts';
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
    const { [CONFIG_FILE_VARIABLE]: _, ...merged } = withConfigFile(environment).env;
    return { config: rightPart(merged, error.problems), problems: error.problems, file };
  }
}

/** Reads what is left without what is faulty; what was right only together with that is faulty in its turn. */
function rightPart(environment: Environment, problems: readonly ConfigProblem[]): Config {
  const faulty = new Set(problems.map(({ name }) => name));
  const rest = Object.fromEntries(Object.entries(environment).filter(([name]) => !faulty.has(name)));
  try {
    return readConfig(rest);
  } catch (error) {
    const isLess = Object.keys(rest).length < Object.keys(environment).length;
    if (!(error instanceof ConfigError && isLess)) throw error;
    return rightPart(rest, error.problems);
  }
}

export function judgeConfiguration({ config, problems, file }: ConfigLook): readonly Finding[] {
  if (problems.length > 0) return problems.map(({ name, message }) => wrong(CHECK, `${name} ${message}`));
  const from = file === null ? 'the environment' : `the environment and ${file}`;
  return [ok(CHECK, `${from}: agent ${config.agentId}, zone ${config.zone}`)];
}
