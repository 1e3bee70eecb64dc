/** Sequences that begin with ESC: colours and cursor (CSI), titles and links (OSC), all others. */
// eslint-disable-next-line no-control-regex
const SEQUENCES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\|$)|[ -/]*[0-~])/g;
/** Everything else that a terminal acts on, the tab excepted; and what turns the direction of writing. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/**
 * One line of a program's output as it may be shown: nothing in it moves the cursor, renames the window or hides what stands
 * there. A line that was written over (progress bars do that by a carriage return) is what stands there last.
 */
export function plainText(line: string): string {
  const bare = line.replaceAll(SEQUENCES, '').replace(/\r+$/, '');
  return bare.slice(bare.lastIndexOf('\r') + 1).replaceAll(CONTROLS, '');
}
