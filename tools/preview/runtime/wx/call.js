// The calling convention of wx functions: callbacks or a Promise, errMsg "<name>:ok" or "<name>:fail <why>".
export function failure(name, error) {
  const given = error && typeof error === 'object' ? error : {}
  const why = given.errMsg || given.message || String(error)
  return { ...given, errMsg: why.startsWith(`${name}:`) ? why : `${name}:fail ${why}` }
}

/** Makes `name` of a function that takes the options and returns (a promise of) the result or throws. */
export function wxCall(name, action) {
  return (options = {}) => {
    const { success, fail, complete } = options || {}
    const classic = Boolean(success || fail || complete)
    const run = (async () => ({ ...(await action(options || {})), errMsg: `${name}:ok` }))()
    if (!classic) return run.catch((error) => Promise.reject(failure(name, error)))
    run.then((result) => {
      if (success) success(result)
      if (complete) complete(result)
    }, (error) => {
      const result = failure(name, error)
      if (fail) fail(result)
      if (complete) complete(result)
    })
    return undefined
  }
}
