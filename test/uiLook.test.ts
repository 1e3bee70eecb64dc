import { lookAtEveryPlace } from './support/everyPlace.ts';

/** Every page and dialog in both colour schemes on a wide screen: no barrier, no sideways scrolling. */
lookAtEveryPlace(1440);
