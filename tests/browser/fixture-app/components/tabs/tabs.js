Component({ relations: { '../tab/tab': { type: 'child', linked(t) { t.setData({ of: 'tabs' }); this.names = (this.names || []).concat(t.data.name) } } } })
