import { lookAtEveryPlace } from './support/everyPlace.ts';

/** The same on a narrow screen. */
lookAtEveryPlace(390);
