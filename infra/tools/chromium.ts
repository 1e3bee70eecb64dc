import { access, constants, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { fetchDebian } from './debian.ts';

export type Chromium = {
  readonly executablePath: string;
  /** The whole environment to start it with. */
  readonly env: Readonly<Record<string, string>>;
  /** Flags for a headless run on this machine. */
  readonly args: readonly string[];
};

export type FindChromium = {
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: (step: string) => void;
  readonly signal?: AbortSignal;
};

export class ChromiumMissing extends Error {
  readonly code = 'CHROMIUM_MISSING';
  constructor(why: string, cause: unknown) {
    super(`No chromium. ${why}\nEither put one on PATH, or as root: apt-get install chromium`, {
      cause,
    });
    this.name = 'ChromiumMissing';
  }
}

/** The browser, its certificate store's modules (loaded at run time) and one font, so that text has glyphs. */
const PACKAGES = ['chromium', 'libnss3', 'fontconfig-config', 'fonts-dejavu-core'];

/** The machine's chromium, else one from the cache, else Debian's, unpacked into the cache with what it needs. */
export async function findChromium(options: FindChromium = {}): Promise<Chromium> {
  const env = options.env ?? process.env;
  const args = chromiumArgs(process.getuid?.() === 0);
  const folders = ['/usr/bin', ...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')];
  for (const folder of folders) {
    const executablePath = join(folder, 'chromium');
    if (await isExecutable(executablePath)) return { executablePath, env: defined(env), args };
  }
  const root = join(cacheFolder(env), 'chromium');
  try {
    await fetchDebian({
      suite: 'system',
      packages: PACKAGES,
      into: root,
      withDependencies: true,
      onProgress: options.onProgress ?? (() => undefined),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    throw new ChromiumMissing(error instanceof Error ? error.message : String(error), error);
  }
  return {
    executablePath: join(root, 'usr/lib/chromium/chromium'),
    env: await unpackedEnvironment(root, env),
    args,
  };
}

/** Flags for a quiet headless run. Chromium's sandbox refuses to run as root. */
export function chromiumArgs(isRoot: boolean): readonly string[] {
  return [
    ...(isRoot ? ['--no-sandbox'] : []),
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--no-first-run',
  ];
}

/**
 * What was unpacked outside its place finds its libraries by LD_LIBRARY_PATH and its fonts by a font configuration of
 * its own. The machine's libraries come last: the unpacked set holds only what the machine lacks.
 */
async function unpackedEnvironment(root: string, env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  const libraries = (await Promise.all(['usr/lib', 'lib'].map((folder) => libraryFolders(join(root, folder))))).flat();
  const fonts = join(root, 'fonts.conf');
  await writeFile(
    fonts,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>/usr/share/fonts</dir>
  <dir>${root}/usr/share/fonts</dir>
  <cachedir>${root}/fontcache</cachedir>
</fontconfig>
`,
  );
  const inherited = env['LD_LIBRARY_PATH'];
  return {
    ...defined(env),
    LD_LIBRARY_PATH: [...libraries, ...(inherited === undefined ? [] : [inherited])].join(delimiter),
    FONTCONFIG_FILE: fonts,
  };
}

/** The multi-architecture folders (`x86_64-linux-gnu`) and the ones inside them that hold private libraries. */
async function libraryFolders(folder: string): Promise<readonly string[]> {
  const triplets = (await folderNames(folder)).filter((name) => name.endsWith('-linux-gnu'));
  const paths = triplets.map((triplet) => join(folder, triplet));
  const nested = await Promise.all(
    paths.map(async (path) => {
      const inside = (await folderNames(path)).filter((name) => name === 'nss' || name === 'pulseaudio');
      return [[path], inside.map((name) => join(path, name))].flat();
    }),
  );
  return nested.flat();
}

async function folderNames(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
