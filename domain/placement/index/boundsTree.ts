/** The one column that is a set of bits, below 2^31: a node has the bits of both its children. */
export const SET_COLUMN = 0;

/**
 * A complete binary tree over slots. Each slot holds one agent's numbers, or nothing; each node above holds, per column,
 * the largest of its two children. So a node says in one look what no agent below it exceeds. (A column for which the
 * least counts holds the negative.) An update touches one path to the root and ends where nothing changes any more.
 */
export class BoundsTree {
  readonly slots: number;
  readonly stride: number;
  /** Column `c` of node `n` is at `n * stride + c`: node 1 is the root, `2n` and `2n + 1` are its children. */
  readonly values: Float64Array;
  readonly #ids: (string | null)[];
  /** Per node the slot with the lowest id below it, or -1. */
  readonly #lowest: Int32Array;

  constructor(slots: number, stride: number) {
    this.slots = 2 ** Math.ceil(Math.log2(Math.max(2, slots)));
    this.stride = stride;
    this.values = new Float64Array(2 * this.slots * stride).fill(-Infinity);
    this.#ids = Array.from({ length: this.slots }, () => null);
    this.#lowest = new Int32Array(2 * this.slots).fill(-1);
  }

  /** The slot under a node, or -1 when the node has children. */
  slotAt(node: number): number {
    return node >= this.slots ? node - this.slots : -1;
  }

  /** No id below the node comes before this one; null while there is nothing below it. */
  lowestId(node: number): string | null {
    const slot = this.#lowest[node] ?? -1;
    return slot < 0 ? null : (this.#ids[slot] ?? null);
  }

  /** Sets a slot, or empties it with `null`; the nodes above follow. A slot is emptied before it is another's. */
  set(slot: number, id: string, row: Float64Array | null): void {
    this.setLeaf(slot, id, row);
    for (let node = (this.slots + slot) >>> 1; node >= 1 && this.#raise(node); node >>>= 1);
  }

  /** Sets a slot and leaves the nodes above as they are: many at once, then `raiseAll`. */
  setLeaf(slot: number, id: string, row: Float64Array | null): void {
    const leaf = this.slots + slot;
    this.#ids[slot] = row === null ? null : id;
    this.#lowest[leaf] = row === null ? -1 : slot;
    if (row === null) this.values.fill(-Infinity, leaf * this.stride, (leaf + 1) * this.stride);
    else this.values.set(row, leaf * this.stride);
  }

  /** A view of a slot's numbers, as long as they are not set anew. */
  row(slot: number): Float64Array {
    const at = (this.slots + slot) * this.stride;
    return this.values.subarray(at, at + this.stride);
  }

  raiseAll(): void {
    for (let node = this.slots - 1; node >= 1; node -= 1) this.#raise(node);
  }

  /** Makes a node what its children say; false when it was that already. */
  #raise(node: number): boolean {
    const { values, stride } = this;
    const at = node * stride;
    const left = 2 * at;
    const right = left + stride;
    const bits = (values[left + SET_COLUMN] ?? 0) | (values[right + SET_COLUMN] ?? 0);
    let changed = values[at + SET_COLUMN] !== bits;
    values[at + SET_COLUMN] = bits;
    for (let column = SET_COLUMN + 1; column < stride; column += 1) {
      const value = Math.max(values[left + column] ?? 0, values[right + column] ?? 0);
      if (values[at + column] === value) continue;
      values[at + column] = value;
      changed = true;
    }
    const lowest = this.#lowerOf(2 * node, 2 * node + 1);
    if (this.#lowest[node] === lowest) return changed;
    this.#lowest[node] = lowest;
    return true;
  }

  #lowerOf(left: number, right: number): number {
    const [a, b] = [this.#lowest[left] ?? -1, this.#lowest[right] ?? -1];
    if (a < 0 || b < 0) return Math.max(a, b);
    return (this.#ids[a] ?? '') < (this.#ids[b] ?? '') ? a : b;
  }
}
