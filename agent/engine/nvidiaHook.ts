import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

const HOOK = 'nvidia-container-runtime-hook';

/** Whether the hook is there by which engines give GPUs to containers, in one of these folders. */
export async function hasNvidiaHook(folders: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, HOOK), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
