/**
 * Every minute: runs the container's named jobs, one after the other (docs/functions.md).
 *
 * The jobs are idempotent and share their work out among instances by themselves, so a trigger that fires twice, or two of
 * these functions at once, does no harm (platform.md §10 says that it may happen). Settings, in the function's environment
 * variables: YUNLIAO_URL, YUNLIAO_JOBS_SECRET.
 */

const cloud = require('wx-server-sdk');
const { call, LinkFailed } = require('./link');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

/** ms one job may take: the container answers well below the platform's 15 s. */
const JOB_LIMIT = 15000;

/** @returns {Promise<{ code: number, data: { jobs: Record<string, any> } }>} throws when a job failed, so that the console shows it */
exports.main = async () => {
  const { SOURCE, OPENID } = cloud.getWXContext();
  // Anybody who uses the mini-program can call a function; nobody but the clock has business here.
  if (OPENID || /wx_client|wx_devtools|wx_http/.test(SOURCE || '')) return { code: 403, msg: '只供定时触发 · for the timer only', data: null };
  const base = process.env.YUNLIAO_URL || '';
  const secret = process.env.YUNLIAO_JOBS_SECRET || '';
  if (!base || !secret) throw new Error('set YUNLIAO_URL and YUNLIAO_JOBS_SECRET in the environment variables of this function');
  const headers = { 'X-Yunliao-Secret': secret };
  const listed = await call(base, 'GET', '/jobs', { headers, timeout: JOB_LIMIT });
  if (listed.status !== 200) throw new Error(`the container refused the list of jobs: HTTP ${listed.status} ${codeOf(listed.data)}`);
  /** @type {Record<string, any>} */ const jobs = {};
  const failed = [];
  for (const name of listed.data.jobs) {
    try {
      const done = await call(base, 'POST', `/jobs/${encodeURIComponent(name)}`, { headers, body: '{}', timeout: JOB_LIMIT });
      jobs[name] = done.data;
      if (done.status !== 200) failed.push(`${name}: HTTP ${done.status} ${codeOf(done.data)}`);
    } catch (error) {
      if (!(error instanceof LinkFailed)) throw error;
      failed.push(`${name}: ${error.kind}`);
    }
  }
  if (failed.length) throw new Error(`jobs that failed: ${failed.join('; ')}`);
  return { code: 0, data: { jobs } };
};

/** @param {any} data */
const codeOf = (data) => (data && data.error && data.error.code) || '';
