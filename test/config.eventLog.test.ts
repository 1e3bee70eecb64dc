import test from 'ava';
import { ConfigError, configEnvironment, readConfig } from '../infra/config/config.ts';
import { hostsOf, userOf } from '../infra/eventStore/connectionString.ts';

/** What MUSTER_EVENT_LOG may say. */

function problemOf(MUSTER_EVENT_LOG: string): string {
  try {
    readConfig({ MUSTER_EVENT_LOG });
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ name, message }) => `${name} ${message}`).join('\n');
  }
}

test('the logs are on the bus unless said otherwise', (t) => {
  t.deepEqual(readConfig({}).eventLog, { kind: 'nats' });
  t.deepEqual(readConfig({ MUSTER_EVENT_LOG: 'nats' }).eventLog, { kind: 'nats' });
});

for (const url of [
  'esdb://localhost:2113?tls=false',
  'esdb://localhost',
  'esdb://muster:p%40ss%3Aword@es-1.example.org:2113,es-2.example.org:2113,es-3.example.org:2113',
  'esdb+discover://muster:secret@es.example.org:2113?tlsCaFile=/etc/muster/ca.pem&nodePreference=Leader',
  'esdb://muster:secret@10.0.0.1:2113/?keepAliveInterval=-1&keepAliveTimeout=10000&defaultDeadline=5000',
  'esdb://muster:secret@es?tls=true&tlsVerifyCert=true&throwOnAppendFailure=true&userCertFile=/a&userKeyFile=/b',
  'esdb://muster:secret@es?maxDiscoverAttempts=3&discoveryInterval=100&gossipTimeout=5',
]) {
  test(`${url} is taken as it is, and children get the same`, (t) => {
    const config = readConfig({ MUSTER_EVENT_LOG: url });
    t.deepEqual(config.eventLog, { kind: 'eventStore', url });
    t.deepEqual(readConfig(configEnvironment(config)), config);
  });
}

const REFUSED = [
  ['eventstore', /^MUSTER_EVENT_LOG must be `nats`, or like esdb:\/\/user:password@host:2113/],
  ['http://es:2113', /must be `nats`, or like esdb:/],
  ['esdb://', /must name a host/],
  ['esdb://es:0', /port from 1 to 65535/],
  ['esdb://es:65536', /port from 1 to 65535/],
  ['esdb://es:2113,', /must name a host/],
  ['esdb://[::1]:2113', /must name a host/],
  ['esdb+discover://a:2113,b:2113', /asks one name.*use esdb:\/\//],
  ['esdb://muster@es', /user:password before the @/],
  ['esdb://muster:hunter2:x@es', /written as %3A/],
  ['esdb://muster:hun/ter2@es', /written as %3A %40 %2F/],
  ['esdb://muster:hunter2?x=hunter2@es', /written as .*%3F/],
  ['esdb://muster:hun@ter2@es', /written as .*%40/],
  ['esdb://muster:hunter2%@es', /%25/],
  ['esdb://muster:hunter2', /port from 1 to 65535/],
  ['esdb://es?tsl=false', /the option tsl, which does not exist; did you mean tls\?/],
  ['esdb://es?tlsCAFiel=hunter2', /did you mean tlsCAFile\?/],
  ['esdb://es?compression=hunter2', /the option compression, which does not exist; there are tls, tlsCAFile/],
  ['esdb://es?hunter2', /options like \?tls=true/],
  ['esdb://es?tls=true?tlsCAFile=/a', /tls, which must be true or false/],
  ['esdb://es?tls=yes', /tls, which must be true or false/],
  ['esdb://es?tls=true&TLS=true', /tls twice/],
  ['esdb://es?tlsCAFile=', /options like/],
  ['esdb://es?tlsCAFile=%', /tlsCAFile, which must be the path of a file/],
  [
    'esdb://es?tlsVerifyCert=false',
    /tlsVerifyCert, which has no effect in the client: name the authority in tlsCAFile/,
  ],
  ['esdb://es?throwOnAppendFailure=false', /throwOnAppendFailure, which must be true: .* count as written/],
  ['esdb://es?nodePreference=follower', /nodePreference, which must be leader/],
  ['esdb://es?connectionName=mine', /connectionName, which is given by Muster itself/],
  ['esdb://es?defaultDeadline=0', /defaultDeadline, which must be a whole number from 1/],
  ['esdb://es?keepAliveTimeout=-2', /keepAliveTimeout, which must be milliseconds from 1, or -1/],
  ['esdb://muster:hunter2@es?tls=false', /without TLS the client sends no password/],
  ['esdb://es?tls=false&tlsCAFile=/a', /tlsCAFile and tls=false: certificates need TLS/],
  ['esdb://es?userCertFile=/a', /userCertFile and userKeyFile together/],
] as const;

for (const [url, problem] of REFUSED) {
  test(`${url} is refused, with what is right and without what may be a password`, (t) => {
    const message = problemOf(url);
    t.regex(message, problem);
    t.notRegex(message, /hunter2/);
  });
}

test('where the store is can be shown without user, password and options', (t) => {
  t.is(hostsOf('esdb://muster:secret@es-1:2114,es-2?tls=true'), 'es-1:2114, es-2:2113');
  t.is(hostsOf('esdb+discover://es.example.org/'), 'es.example.org:2113');
  t.is(userOf('esdb://mu%40ster:secret@es'), 'mu@ster');
  t.is(userOf('esdb://es'), null);
});
