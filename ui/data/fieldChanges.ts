/** One field that somebody changed, as text; empty: nothing stands there. */
export interface ChangedField {
  readonly label: string;
  readonly before: string;
  readonly after: string;
}
