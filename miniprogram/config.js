/** Where the container runs: the Cloud Run environment and the service name of the console. */
module.exports = { env: 'local-env', service: 'yunliao' };
