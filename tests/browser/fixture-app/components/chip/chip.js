Component({ options: { multipleSlots: true, styleIsolation: 'apply-shared' }, externalClasses: ['ext-class'], properties: { label: { type: String, value: 'plain' } } })
