Component({ properties: { name: String }, data: { of: '' }, relations: { '../tabs/tabs': { type: 'parent' } } })
