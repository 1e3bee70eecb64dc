import { resolve } from 'node:path';
import { busGatewayVariables, busServerVariables, newBusSecrets } from '../../infra/start/busSecrets.ts';
import { busSecretsFiles, writeBusSecrets } from '../../infra/start/busSecretsFiles.ts';
import { hasErrno } from '../../infra/start/errors.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { print, printJson, type JsonOption } from './output.ts';

export interface BusSecretsOptions extends JsonOption {
  /** The folder to write them into, instead of printing them. */
  readonly out?: string;
}

/** Makes the passwords and the key of a bus that an operator runs. They are kept nowhere but where they go now. */
export async function makeBusSecrets({ out, json }: BusSecretsOptions): Promise<void> {
  const secrets = newBusSecrets();
  if (out !== undefined) {
    const files = await written(resolve(out), secrets);
    return json === true ? printJson({ files }) : print(files.join('\n'));
  }
  if (json === true) return printJson({ bus: busServerVariables(secrets), gateway: busGatewayVariables(secrets) });
  print(
    busSecretsFiles(secrets)
      .map(({ text }) => text)
      .join('\n')
      .trimEnd(),
  );
}

async function written(folder: string, secrets: Parameters<typeof writeBusSecrets>[1]): Promise<readonly string[]> {
  try {
    return await writeBusSecrets(folder, secrets);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) {
      const lines = [
        'A bus and its gateways may use them. Move them away, or name another folder. Nothing was written.',
      ];
      throw new CliError(ExitCode.failure, `there are secrets of a bus in ${folder} already`, lines, error);
    }
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EROFS', 'ENOSPC')) {
      throw new CliError(ExitCode.failure, `${folder} cannot be written into: ${error.message}`, [], error);
    }
    throw error;
  }
}
