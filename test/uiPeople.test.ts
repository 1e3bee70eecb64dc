import { everyKey, everyPerson, personRow } from '../ui/gallery/accessRows.ts';
import { accessPageSpecs, dialogNamed, focused, isClosed, rowOf } from './support/accessPage.ts';
import { problem } from './support/fakeGateway.ts';

/** The page for people and keys and what it does for people, in a real browser, against a gateway with canned answers. */

const withGateway = accessPageSpecs();

withGateway('the page has an address of its own, and the way back leads to the overview', async (t, { open }) => {
  const page = await open('');
  const overview = page.getByRole('link', { name: 'Overview' }).and(page.locator('[aria-current=page]'));
  await overview.waitFor();
  t.is(await page.title(), 'Muster');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Access' }).click();
  await rowOf(page, 'Ben Ng').waitFor();
  t.is(new URL(page.url()).hash, '#/access');
  t.is(await page.title(), 'Access – Muster');
  t.is(
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Access' })
      .getAttribute('aria-current'),
    'page',
  );
  t.is(await focused(page), 'Access', 'reading goes on in what is new');
  await page.reload();
  await rowOf(page, 'Ben Ng').waitFor();
  await page.goBack();
  await overview.waitFor();
  t.is(await page.getByRole('table', { name: 'People' }).count(), 0);
});

withGateway(
  'who is no admin sees why the page is not theirs, and nothing is asked for',
  async (t, { gateway, open }) => {
    gateway.role = 'operator';
    gateway.answers.set('GET /people', { status: 500, body: problem(500, 'INTERNAL', 'nobody may ask') });
    const page = await open('/#/access');
    await page.getByText('This page is for admins').waitFor();
    t.is(await page.locator('mu-people-view').count(), 0);
    const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Access' });
    t.is(await link.getAttribute('title'), 'This needs the role admin; yours is operator.');
    t.is(await link.getAttribute('href'), null);
  },
);

withGateway('each person and each key is told by its state', async (t, { gateway, open }) => {
  const now = Date.now();
  gateway.account = 'admin-anna';
  gateway.access.people = everyPerson(now).slice(0, 6);
  gateway.access.keys = everyKey(now);
  const page = await open();
  const expected: readonly (readonly [string, ...RegExp[]])[] = [
    ['Anna Smith', /^you$/, /^Can sign in$/, /s ago, in 2 browsers/],
    ['Ben Ng', /^Can sign in$/, /5 h ago, in 1 browser$/],
    ['Chi', /^Invited: link not used yet, ends in 2[23] h$/],
    ['Dora Maar', /^Cannot sign in: needs a new link$/, /signed in nowhere/],
    ['Eve', /^Locked for \d+ s: too many wrong passwords$/],
    ['Farid', /^Can sign in; link not used yet, ends in [23] h$/],
    ['nightly jobs', /^9f86d081884c7d65$/, /^Ends in (59|60) d$/, /^5 min ago$/],
    ['dashboard on the wall', /^No end$/],
    ['migration', /^Ends in 4[78] h$/, /not since the gateway started/],
    ['z2x3c4v5b6n7', /^Expired$/],
  ];
  for (const [name, ...texts] of expected) {
    for (const text of texts) await rowOf(page, name).getByText(text).first().waitFor();
  }
  t.pass();
});

withGateway(
  'an admin adds a person and gets the link with which they set a password, once',
  async (t, { gateway, open }) => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Add a person' }).click();
    const dialog = await dialogNamed(page, 'Add a person');
    t.is(await focused(page), 'name');
    await dialog.getByRole('button', { name: 'Add person' }).click();
    await dialog.getByText('Give a name.').waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('chi@example.org');
    await dialog.getByLabel('Account').fill('admin');
    await dialog.getByRole('button', { name: 'Add person' }).click();
    await dialog.getByText('This looks like an e-mail address').waitFor();
    await dialog.getByText('This one belongs to the machine').waitFor();
    t.deepEqual(gateway.sentTo('POST', '/people'), []);
    await dialog.getByLabel('Name', { exact: true }).fill('Chi');
    await dialog.getByLabel('Account').fill('chi');
    await dialog.getByRole('radio', { name: /^operator/ }).check();
    gateway.answers.set('POST /people', {
      status: 409,
      body: problem(409, 'PERSON_EXISTS', 'there is an account "chi" already'),
    });
    await dialog.getByRole('button', { name: 'Add person' }).click();
    await dialog.getByText('There is an account "chi" already. PERSON_EXISTS').waitFor();
    gateway.answers.clear();
    await dialog.getByRole('button', { name: 'Add person' }).click();
    const link = await dialogNamed(page, 'Chi is added');
    t.is(
      await link.getByLabel('Sign-in link', { exact: true }).inputValue(),
      'https://muster.example.org/#set-password=chi.secret-1',
    );
    await link.getByText(/ends in (23|24) h/).waitFor();
    t.is(await focused(page), 'Copy Sign-in link');
    await page.keyboard.press('Enter');
    await link.getByText('Copied').waitFor();
    t.is(
      await page.evaluate(() => navigator.clipboard.readText()),
      'https://muster.example.org/#set-password=chi.secret-1',
    );
    t.deepEqual(gateway.sentTo('POST', '/people').at(-1), { personId: 'chi', name: 'Chi', role: 'operator' });
    await link.getByRole('button', { name: 'Done' }).click();
    await isClosed(page);
    await rowOf(page, 'Chi').getByText('Invited').waitFor();
    t.is(await focused(page), 'Add a person', 'back where it began');
  },
);

withGateway('who was added without a link gets it by trying again', async (t, { gateway, open }) => {
  const page = await open();
  await page.getByRole('button', { name: 'Add a person' }).click();
  const dialog = await dialogNamed(page, 'Add a person');
  await dialog.getByLabel('Name', { exact: true }).fill('Chi');
  await dialog.getByLabel('Account').fill('chi');
  gateway.answers.set('POST /people/chi/sign-in-link', {
    status: 503,
    body: problem(503, 'UNAVAILABLE', 'the bus is away'),
  });
  await dialog.getByRole('button', { name: 'Add person' }).click();
  const link = await dialogNamed(page, 'Chi is added');
  await link.getByText('The bus is away. UNAVAILABLE').waitFor();
  gateway.answers.clear();
  await link.getByRole('button', { name: 'Make link' }).click();
  await link.getByLabel('Sign-in link', { exact: true }).waitFor();
  t.is(gateway.sentTo('POST', '/people').length, 1);
});

withGateway('a new link for somebody with a password says first what it does', async (t, { gateway, open }) => {
  const page = await open();
  await page.getByRole('button', { name: 'New link for Ben Ng' }).click();
  const dialog = await dialogNamed(page, 'New sign-in link for Ben Ng');
  await dialog.getByText('The password so far works until then.').waitFor();
  t.deepEqual(gateway.sent, []);
  await dialog.getByRole('button', { name: 'Make link' }).click();
  await dialog.getByLabel('Sign-in link', { exact: true }).waitFor();
  await rowOf(page, 'Ben Ng').getByText('Can sign in; link not used yet').waitFor();
});

withGateway(
  'a role is changed with a reason; the last admin stays one, in the words of the gateway',
  async (t, { gateway, open }) => {
    const page = await open();
    await page.getByRole('button', { name: 'Role of Ben Ng' }).click();
    const dialog = await dialogNamed(page, 'Role of Ben Ng');
    t.true(await dialog.getByRole('radio', { name: /^operator/ }).isChecked());
    await dialog.getByRole('radio', { name: /^viewer/ }).check();
    await dialog.getByLabel('Reason (optional)').fill('another team');
    await dialog.getByRole('button', { name: 'Save role' }).click();
    await isClosed(page);
    await page.getByText('Ben Ng has the role viewer.').waitFor();
    await rowOf(page, 'Ben Ng').getByText('viewer').waitFor();
    t.deepEqual(gateway.sentTo('PATCH', '/people/ben').at(-1), { role: 'viewer', reason: 'another team' });
    gateway.answers.set('PATCH /people/anna', {
      status: 409,
      body: problem(409, 'LAST_ADMIN', 'anna is the last admin; make another person an admin first'),
    });
    await page.getByRole('button', { name: 'Role of Anna Smith' }).click();
    const own = await dialogNamed(page, 'Role of Anna Smith');
    await own.getByText('This is you').waitFor();
    await own.getByRole('radio', { name: /^operator/ }).check();
    await own.getByRole('button', { name: 'Save role' }).click();
    await own.getByText('Anna is the last admin; make another person an admin first. LAST_ADMIN').waitFor();
  },
);

withGateway(
  'whoever gives up being an admin sees at once that the page is not theirs',
  async (t, { gateway, open }) => {
    const page = await open();
    await page.getByRole('button', { name: 'Role of Anna Smith' }).click();
    const dialog = await dialogNamed(page, 'Role of Anna Smith');
    await dialog.getByRole('radio', { name: /^operator/ }).check();
    gateway.role = 'operator';
    await dialog.getByRole('button', { name: 'Save role' }).click();
    await page.getByText('This page is for admins').waitFor();
    t.is(await page.locator('mu-dialog').count(), 0);
  },
);

withGateway(
  'people are signed out and removed after a question that says what happens',
  async (t, { gateway, open }) => {
    const page = await open();
    await page.getByRole('button', { name: 'Sign out Ben Ng' }).click();
    const question = await dialogNamed(page, 'Sign Ben Ng out everywhere?');
    await question.getByText('Ben Ng is signed out of 2 browsers at once.').waitFor();
    await question.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('Ben Ng is signed out of 2 browsers.', { exact: true }).waitFor();
    await isClosed(page);
    t.is(await page.getByRole('button', { name: 'Sign out Ben Ng' }).count(), 0);
    await page.getByRole('button', { name: 'Remove Ben Ng' }).click();
    const removal = await dialogNamed(page, 'Remove Ben Ng?');
    await removal.getByText('What they did stays in the log').waitFor();
    await removal.getByRole('button', { name: 'Keep' }).click();
    await isClosed(page);
    t.deepEqual(gateway.sentTo('DELETE', '/people/ben'), []);
    t.is(await focused(page), 'Remove Ben Ng');
    await page.keyboard.press('Enter');
    await removal.getByRole('button', { name: 'Remove person' }).click();
    await rowOf(page, 'Ben Ng').waitFor({ state: 'detached' });
    await isClosed(page);
    t.deepEqual(gateway.sentTo('DELETE', '/people/ben'), [{}]);
    t.is(await focused(page), 'people', 'the row that had the focus is gone');
  },
);

withGateway('whoever removes themselves is at the door', async (t, { open }) => {
  const page = await open();
  await page.getByRole('button', { name: 'Remove Anna Smith' }).click();
  const dialog = await dialogNamed(page, 'Remove Anna Smith?');
  await dialog.getByText('You are signed out of 2 browsers at once').waitFor();
  await dialog.getByRole('button', { name: 'Remove person' }).click();
  await page.getByText('Sign in to Muster').waitFor();
  t.pass();
});

withGateway(
  'who comes back to the window sees what others did; what cannot be asked keeps what was known',
  async (t, { gateway, open }) => {
    const page = await open();
    await rowOf(page, 'Ben Ng').waitFor();
    const comeBack = () => page.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
    gateway.access.people = [...gateway.access.people, personRow({ personId: 'chi', name: 'Chi' })];
    await comeBack();
    await rowOf(page, 'Chi').waitFor();
    gateway.answers.set('GET /people', { status: 503, body: problem(503, 'UNAVAILABLE', 'the bus is away') });
    await comeBack();
    await page.getByText('The bus is away. UNAVAILABLE').waitFor();
    t.is(await rowOf(page, 'Chi').count(), 1);
    await page.reload();
    await page.getByText('The bus is away. UNAVAILABLE').waitFor();
    gateway.answers.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await rowOf(page, 'Chi').waitFor();
    t.is(await page.getByText('UNAVAILABLE').count(), 0);
  },
);

withGateway('empty lists say what belongs there', async (t, { gateway, open }) => {
  gateway.access.people = [];
  gateway.access.keys = [];
  const page = await open();
  await page.getByText('Nobody has an account yet').waitFor();
  await page.getByText('No program has a key yet').waitFor();
  await page.getByRole('button', { name: 'Issue a key' }).click();
  await dialogNamed(page, 'Issue an access key');
  t.pass();
});
