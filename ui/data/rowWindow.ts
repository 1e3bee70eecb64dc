/** Rows drawn beyond either edge of the screen, so that a turn of the wheel meets rows and not a gap. */
const BEYOND = 6;

export interface RowWindow {
  readonly first: number;
  readonly count: number;
}

/** Where rows stand that need not be of one height, in rem. */
export interface RowPlaces {
  /** Where each begins, and at last where the list ends: one number more than there are rows. */
  readonly tops: Float64Array;
  /** The lowest of them all. */
  readonly leastHeight: number;
}

export function rowPlaces(rows: number, heightOf: (index: number) => number): RowPlaces {
  const tops = new Float64Array(rows + 1);
  let leastHeight = Infinity;
  for (let index = 0; index < rows; index += 1) {
    const height = heightOf(index);
    leastHeight = Math.min(leastHeight, height);
    tops[index + 1] = (tops[index] ?? 0) + height;
  }
  return { tops, leastHeight };
}

/** Where a row begins, and how high it is. */
export function placeOf({ tops }: RowPlaces, index: number): { readonly top: number; readonly height: number } {
  const top = tops[index] ?? 0;
  return { top, height: (tops[index + 1] ?? top) - top };
}

/** Which of the rows are drawn; `above` is how much of the list is above the screen. All in rem. */
export function rowWindow(
  places: RowPlaces,
  { above, screen }: { readonly above: number; readonly screen: number },
): RowWindow {
  const rows = places.tops.length - 1;
  const count = Math.min(rows, Math.ceil(screen / places.leastHeight) + 1 + 2 * BEYOND);
  const first = rowAt(places, above) - BEYOND;
  return { first: Math.max(0, Math.min(first, rows - count)), count };
}

/** The last row that begins there or before. */
function rowAt({ tops }: RowPlaces, at: number): number {
  let [from, to] = [0, tops.length - 1];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ((tops[middle] ?? Infinity) <= at) from = middle;
    else to = middle - 1;
  }
  return from;
}
