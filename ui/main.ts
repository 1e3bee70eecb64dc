import './views/mu-app.ts';
