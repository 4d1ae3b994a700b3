console.log('none');

export {};
