import { connectBus } from '../infra/bus/connect.ts';
import { APP_PASSWORD } from '../test/support/nats.ts';

/** Answers every request on a subject with a text of so many bytes and does nothing else: `node echoProcess.ts URL SUBJECT BYTES`. */
const [url = '', subject = '', bytes = '0'] = process.argv.slice(2);
const ended = Promise.withResolvers<void>();
process.once('disconnect', () => ended.resolve());
const bus = await connectBus({ url, user: 'muster-app', password: APP_PASSWORD, name: 'bench echo' });
const answer = Buffer.alloc(Number(bytes), 'x');
bus.connection.subscribe(subject, { callback: (_, message) => message.respond(answer) });
await bus.connection.flush();
process.send?.('ready');
await ended.promise;
await bus.close();
