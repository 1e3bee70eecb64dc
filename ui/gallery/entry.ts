export interface GalleryEntry {
  readonly component: string;
  /** The name of a state and the component in it. */
  readonly states: readonly (readonly [string, unknown])[];
}
