/** The settings of a systemd unit, by section and name; a name may stand several times. */
export type Unit = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export function parseUnit(text: string): Unit {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = new Map();
      sections.set(header, section);
      continue;
    }
    const setting = /^(\w+)=(.*)$/.exec(line);
    if (setting?.[1] === undefined || setting[2] === undefined) throw new Error(`no setting of a unit: ${line}`);
    section.set(setting[1], [...(section.get(setting[1]) ?? []), setting[2]]);
  }
  return sections;
}

/** Fails when it does not stand there exactly once. */
export function settingOf(unit: Unit, section: string, name: string): string {
  const values = unit.get(section)?.get(name) ?? [];
  if (values.length !== 1 || values[0] === undefined)
    throw new Error(`${section}: ${name} stands ${values.length} times`);
  return values[0];
}
