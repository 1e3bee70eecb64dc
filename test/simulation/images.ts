/** What sessions are started from in these worlds: what every host has from the beginning, and what has to be pulled. */
export const LOCAL_IMAGE = 'muster/desktop:1';
/** Image definitions name the first of these, and none of the others. */
export const JOB_IMAGES = ['muster/job:1', 'muster/job:2', 'muster/job:3'] as const;
